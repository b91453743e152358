#include "cluster/store/image.h"

#include <algorithm>

namespace tiphys::store {
namespace {

using NameView = std::pair<std::string_view, std::string_view>;

}  // namespace

const Image::Entry* Image::find(const kube::ObjectKey& key) const {
  const auto table = tables_.find(key.kind);
  if (table == tables_.end()) {
    return nullptr;
  }
  const auto found = table->second.find(NameView(key.namespace_, key.name));
  return found == table->second.end() ? nullptr : &found->second;
}

Image::Entry* Image::find(const kube::ObjectKey& key) {
  return const_cast<Entry*>(std::as_const(*this).find(key));
}

const Image::Entry* Image::find_uid(std::string_view uid) const {
  const auto found = by_uid_.find(uid);
  return found == by_uid_.end() ? nullptr : found->second;
}

std::vector<kube::ObjectRef> Image::list(std::string_view kind, std::string_view namespace_,
                                         const kube::LabelSelector& selector) const {
  std::vector<kube::ObjectRef> found;
  const auto table = tables_.find(kind);
  if (table == tables_.end()) {
    return found;
  }
  auto next = table->second.lower_bound(NameView(namespace_, ""));
  for (; next != table->second.end(); ++next) {
    if (!namespace_.empty() && next->first.first != namespace_) {
      break;
    }
    if (selector.matches(next->second.object->labels())) {
      found.push_back(next->second.object);
    }
  }
  return found;
}

const Image::Entry& Image::add(kube::ObjectRef object, std::int64_t id) {
  const kube::ObjectKey& key = object->key();
  const std::string& uid = object->uid();
  Entry entry{id == 0 ? last_id_ + 1 : id, object};
  last_id_ = std::max(last_id_, entry.id);
  const auto [added, fresh] =
      tables_[key.kind].emplace(Name(key.namespace_, key.name), std::move(entry));
  CHECK(fresh, "an object is added once");
  by_uid_.emplace(uid, &added->second);
  return added->second;
}

void Image::remove(const kube::ObjectKey& key) {
  const auto table = tables_.find(key.kind);
  const auto found = table->second.find(NameView(key.namespace_, key.name));
  by_uid_.erase(found->second.object->uid());
  table->second.erase(found);
}

}  // namespace tiphys::store
