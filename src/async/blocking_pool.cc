#include "async/blocking_pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace tiphys::async {

class BlockingPool::Impl final {
 public:
  explicit Impl(Options options) : options_(options) {}

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  Result<> submit(Function job) {
    {
      const std::lock_guard lock(mutex_);
      if (jobs_.size() >= options_.waiting) {
        return fail(ErrorCode::too_many_requests, "too much work is waiting for a thread");
      }
      jobs_.push_back(std::move(job));
      if (idle_ < jobs_.size() && threads_.size() < options_.threads) {
        threads_.emplace_back([this] { work(); });
      }
    }
    changed_.notify_one();
    return {};
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      --idle_;
      if (ending_) {
        return;
      }
      Function job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
    }
  }

  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Function> jobs_;
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

BlockingPool::BlockingPool(Loop& loop, Options options)
    : loop_(loop), impl_(std::make_unique<Impl>(options)) {}

BlockingPool::~BlockingPool() = default;

Result<> BlockingPool::submit(Function job) { return impl_->submit(std::move(job)); }

}  // namespace tiphys::async
