#include "io/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <utility>

namespace crv::io {

std::size_t cores() {
  return std::max(1U, std::thread::hardware_concurrency());
}

void in_parallel(std::size_t allowed, std::size_t count, const std::function<void(std::size_t)>& job) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr first;
  auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        job(i);
      } catch (...) {
        std::lock_guard held(mutex);
        if (!first) first = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(std::min(allowed, count));
  try {
    for (std::size_t i = 1; i < std::min(allowed, count); ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {  // no further thread can be had: those that there are do it
  }
  work();
  for (std::thread& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

Workers::~Workers() {
  if (process_ != process_id()) {
    static_cast<void>(shared_.release());  // a condition that a thread of the parent waits for has no end
    return;
  }
  {
    std::lock_guard held(shared_->mutex);
    shared_->stop = true;
    shared_->tasks.clear();
  }
  shared_->wake.notify_all();
  for (std::thread& thread : shared_->threads) thread.join();
}

bool Workers::post(std::function<void()> task) {
  {
    std::lock_guard held(shared_->mutex);
    if (shared_->threads.size() < wanted_) try {
        shared_->threads.emplace_back([this] { work(); });
      } catch (const std::system_error&) {  // those that there are must do
      }
    if (shared_->threads.empty()) return false;
    shared_->tasks.push_back(std::move(task));
  }
  shared_->wake.notify_one();
  return true;
}

void Workers::work() {
  Shared& shared = *shared_;
  std::unique_lock held(shared.mutex);
  while (true) {
    shared.wake.wait(held, [&] { return shared.stop || !shared.tasks.empty(); });
    if (shared.stop) return;
    std::function<void()> task = std::move(shared.tasks.front());
    shared.tasks.pop_front();
    held.unlock();
    task();
    held.lock();
  }
}

}  // namespace crv::io
