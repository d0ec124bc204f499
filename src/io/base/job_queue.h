// Jobs for the background, one at a time and in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "crv/io/executor.h"

namespace crv::io {

// Safe for several threads. Must be drained before what its jobs use goes.
class JobQueue {
 public:
  explicit JobQueue(Executor& executor) : executor_(executor) {}

  // `job` does not throw. One that waits under the same name already does for both. Where the executor takes
  // nothing, it is done now.
  void add(const std::string& name, std::function<void()> job);
  // Returns when no job waits and none is being done: those that wait are done by the caller. From within a
  // job it returns at once.
  void drain();

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable idle;
    std::deque<std::pair<std::string, std::function<void()>>> jobs;
    std::thread::id busy;    // that does a job; none: nobody does
    bool is_posted = false;  // the executor has been asked, and has not begun yet
  };
  // Does what waits, unless another thread is at it. Holds `held`, but for the jobs themselves.
  static void work(Shared& shared, std::unique_lock<std::mutex>& held);
  bool post() noexcept;

  Executor& executor_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace crv::io
