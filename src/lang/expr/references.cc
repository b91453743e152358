#include "lang/expr/references.h"

#include <algorithm>
#include <set>

namespace tiphys::lang {
namespace {

/// The path of a.b['c'], or nothing when a part is computed or optional.
std::optional<std::vector<std::string>> static_path(const Node& member) {
  std::vector<std::string> path;
  const Node* node = &member;
  while (node->kind == NodeKind::member) {
    if (node->optional || node->kid(1).kind != NodeKind::string) {
      return std::nullopt;
    }
    path.push_back(node->kid(1).text);
    node = &node->kid(0);
  }
  if (node->kind != NodeKind::identifier) {
    return std::nullopt;
  }
  path.push_back(node->text);
  std::ranges::reverse(path);
  return path;
}

class Collector {
 public:
  void guard(const Node& node) {
    if (node.kind == NodeKind::binary && node.op == Op::coalesce) {
      guard_members(node.kid(0));
    }
    if (node.kind == NodeKind::member && node.optional && node.kid(0).kind == NodeKind::member) {
      guarded_.insert(&node.kid(0));
    }
    for (const NodePtr& kid : node.kids) {
      if (kid) {
        guard(*kid);
      }
    }
  }

  void collect(const Node& node) {
    for (const NodePtr& kid : node.kids) {
      if (kid) {
        collect(*kid);
      }
    }
    if (node.kind == NodeKind::identifier) {
      add({node.text}, false);
    } else if (node.kind == NodeKind::member) {
      if (auto path = static_path(node)) {
        add(*std::move(path), guarded_.contains(&node));
      }
    }
  }

  std::vector<ExprReference> take() { return std::move(references_); }

 private:
  void guard_members(const Node& node) {
    if (node.kind == NodeKind::member) {
      guarded_.insert(&node);
    }
    for (const NodePtr& kid : node.kids) {
      if (kid) {
        guard_members(*kid);
      }
    }
  }

  void add(std::vector<std::string> path, bool optional) {
    const auto [place, added] = places_.try_emplace(path, references_.size());
    if (added) {
      references_.push_back({std::move(path), optional});
    } else if (!optional) {
      references_[place->second].optional = false;
    }
  }

  std::set<const Node*> guarded_;
  std::map<std::vector<std::string>, std::size_t> places_;
  std::vector<ExprReference> references_;
};

}  // namespace

std::vector<ExprReference> references_of(const Node& root) {
  Collector collector;
  collector.guard(root);
  collector.collect(root);
  return collector.take();
}

}  // namespace tiphys::lang
