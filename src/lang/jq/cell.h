#pragma once
/// Memory of a run: what the machine links together. Private to the module.
///
/// A `Cell` is one link of a continuation, of the chain of bindings, of a path, or a state that
/// several of them share. Cells are counted by their users and freed without recursion, because
/// chains are as long as programs run; they belong to one pool and one thread.

#include "lang/jq/value.h"

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace tiphys::lang::jq {

struct Node;
struct Cell;
class CellPool;

class CellPointer {
 public:
  CellPointer() = default;
  explicit CellPointer(Cell* cell);
  CellPointer(const CellPointer& other);

  CellPointer(CellPointer&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}

  CellPointer& operator=(CellPointer other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }

  ~CellPointer();

  Cell* operator->() const { return cell_; }

  Cell& operator*() const { return *cell_; }

  explicit operator bool() const { return cell_ != nullptr; }

 private:
  Cell* cell_ = nullptr;
};

/// What the machine does when a value arrives at a link of the continuation.
enum class Step : std::uint8_t {
  none,
  pipe,
  branch,
  argument,
  parameter,
  key,
  each,
  attempt_end,
  alternative,
  collect,
  member,
  bind_value,
  pattern,
  bind_body,
  loop_start,
  loop_item,
  loop_update,
  reduce_store,
  foreach_store,
  path_end,
  assign_value,
  assign_store,
  assign_constant,
  modify_path,
  modify_store,
};

struct Cell {
  /// The next link: what comes after, or the binding further out, or the path before.
  CellPointer next;
  /// The bindings a link evaluates in, or those of a bound filter.
  CellPointer env;
  CellPointer state;
  /// A filter that is bound, or where a link belongs to.
  const Node* node = nullptr;
  Value value;
  Value other;
  /// Arguments that are there already.
  List list;
  std::int64_t number = 0;
  std::size_t index = 0;
  int depth = 0;
  Step step = Step::none;

  std::uint32_t users = 0;
  CellPool* pool = nullptr;
};

class CellPool {
 public:
  CellPool() = default;
  CellPool(const CellPool&) = delete;
  CellPool& operator=(const CellPool&) = delete;

  CellPointer make() {
    if (free_.empty()) {
      cells_.emplace_back().pool = this;
      free_.push_back(&cells_.back());
    }
    Cell* cell = free_.back();
    free_.pop_back();
    return CellPointer(cell);
  }

  /// Cells in use.
  std::size_t live() const { return cells_.size() - free_.size(); }

  void retire(Cell* cell) {
    dying_.push_back(cell);
    if (is_freeing_) {
      return;
    }
    is_freeing_ = true;
    while (!dying_.empty()) {
      Cell* one = dying_.back();
      dying_.pop_back();
      *one = Cell{.pool = this};
      free_.push_back(one);
    }
    is_freeing_ = false;
  }

 private:
  std::deque<Cell> cells_;
  std::vector<Cell*> free_;
  std::vector<Cell*> dying_;
  bool is_freeing_ = false;
};

inline CellPointer::CellPointer(Cell* cell) : cell_(cell) { ++cell_->users; }

inline CellPointer::CellPointer(const CellPointer& other) : cell_(other.cell_) {
  if (cell_ != nullptr) {
    ++cell_->users;
  }
}

inline CellPointer::~CellPointer() {
  if (cell_ != nullptr && --cell_->users == 0) {
    cell_->pool->retire(cell_);
  }
}

}  // namespace tiphys::lang::jq
