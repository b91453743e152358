#include "cluster/store/writer.h"

#include <utility>

namespace tiphys::store {

Writer::Writer(Database database, std::function<Result<>()> before_commit, Report report)
    : database_(std::move(database)),
      before_commit_(std::move(before_commit)),
      report_(std::move(report)) {}

Writer::~Writer() { finish(); }

void Writer::enqueue(Batch batch) {
  {
    const std::lock_guard lock(mutex_);
    queued_.append(std::move(batch));
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { work(); });
    }
  }
  changed_.notify_one();
}

void Writer::finish() {
  if (!thread_.joinable()) {
    database_.tidy();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Writer::work() {
  bool failed = false;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !queued_.empty(); });
    if (queued_.empty()) {
      break;
    }
    const Batch batch = std::exchange(queued_, {});
    lock.unlock();
    if (!failed) {
      auto written = database_.write(batch, before_commit_);
      failed = !written;
      report_(batch.revision, std::move(written));
    }
    lock.lock();
  }
  lock.unlock();
  if (!failed) {
    database_.tidy();
  }
}

}  // namespace tiphys::store
