// Does a thing once, however many threads ask for it.
//
// As std::call_once, but a job that throws may be tried again on every system: std::call_once rests on
// pthread_once, and where that does not undo itself for an exception (musl, the thread sanitizer) the next
// call would wait for ever.
#pragma once

#include <atomic>
#include <mutex>
#include <utility>

namespace crv::io {

class Once {
 public:
  // Returns after `job` has been done, by this call or another. What it throws goes to its own caller, and
  // the next call tries anew.
  template <class Job>
  void run(Job&& job) {
    if (done_.load(std::memory_order_acquire)) return;
    std::lock_guard held(mutex_);
    if (done_.load(std::memory_order_relaxed)) return;
    std::forward<Job>(job)();
    done_.store(true, std::memory_order_release);
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> done_ = false;
};

}  // namespace crv::io
