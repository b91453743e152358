#pragma once
/// All objects in memory. Private to the store.

#include "kube/api.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tiphys::store {

class Image final {
 public:
  struct Entry {
    std::int64_t id = 0;  ///< the object's number in the database
    kube::ObjectRef object;
  };

  /// Null when there is none. Valid until the object is removed.
  Entry* find(const kube::ObjectKey& key);
  const Entry* find(const kube::ObjectKey& key) const;
  const Entry* find_uid(std::string_view uid) const;
  std::vector<kube::ObjectRef> list(std::string_view kind, std::string_view namespace_,
                                    const kube::LabelSelector& selector) const;

  /// Adds an object that is not there; gives it the next number unless it comes with one.
  const Entry& add(kube::ObjectRef object, std::int64_t id = 0);
  void remove(const kube::ObjectKey& key);

 private:
  using Name = std::pair<std::string, std::string>;

  struct NameLess {
    using is_transparent = void;

    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      const int namespaces = std::string_view(a.first).compare(std::string_view(b.first));
      return namespaces != 0 ? namespaces < 0
                             : std::string_view(a.second) < std::string_view(b.second);
    }
  };

  struct TextHash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  using Table = std::map<Name, Entry, NameLess>;

  std::map<std::string, Table, std::less<>> tables_;
  /// The entries of a map stay where they are.
  std::unordered_map<std::string, const Entry*, TextHash, std::equal_to<>> by_uid_;
  std::int64_t last_id_ = 0;
};

}  // namespace tiphys::store
