#pragma once
/// Threads for work that blocks or burns. Work goes in by value and its result comes back by value,
/// as a call on the loop; nothing is shared, so nothing is locked. Threads start when first needed.

#include "async/loop.h"
#include "base/error.h"

#include <memory>
#include <type_traits>
#include <utility>

namespace tiphys::async {

class BlockingPool final {
 public:
  struct Options {
    std::size_t threads = 2;     ///< at most so many at work
    std::size_t waiting = 4096;  ///< at most so many pieces of work in line
  };

  BlockingPool(Loop& loop, Options options);
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;
  /// Waits for the work that has begun; drops what has not, and whose `done` is never called.
  ~BlockingPool();

  /// Calls `work()` on a thread of the pool, then `done(its result)` on the loop, in the order in
  /// which work ends. `work` must not throw. Error too_many_requests when the line is full.
  template <class Work, class Done>
  [[nodiscard]] Result<> run(Work work, Done done) {
    using Value = std::invoke_result_t<Work&>;
    return submit([&loop = loop_, work = std::move(work), done = std::move(done),
                   hold = loop_.hold()]() mutable {
      if constexpr (std::is_void_v<Value>) {
        work();
        loop.post([done = std::move(done), hold = std::move(hold)]() mutable { done(); });
      } else {
        loop.post([value = work(), done = std::move(done), hold = std::move(hold)]() mutable {
          done(std::move(value));
        });
      }
    });
  }

 private:
  Result<> submit(Function job);
  class Impl;

  Loop& loop_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::async
