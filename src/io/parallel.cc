#include "io/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <utility>

namespace crv::io {

std::size_t cores() {
  return std::max(1U, std::thread::hardware_concurrency());
}

void in_parallel(std::size_t count, const std::function<void(std::size_t)>& job) {
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
  threads.reserve(cores());
  try {
    for (std::size_t i = 1; i < std::min(cores(), count); ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {  // no further thread can be had: those that there are do it
  }
  work();
  for (std::thread& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

Workers::~Workers() {
  {
    std::lock_guard held(mutex_);
    stop_ = true;
    tasks_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::push(std::function<void()> task) {
  {
    std::lock_guard held(mutex_);
    if (threads_.size() < wanted_) try {
        threads_.emplace_back([this] { work(); });
      } catch (const std::system_error&) {  // those that there are must do
      }
    if (!threads_.empty()) tasks_.push_back(std::exchange(task, nullptr));
  }
  if (task) return task();
  wake_.notify_one();
}

void Workers::work() {
  std::unique_lock held(mutex_);
  while (true) {
    wake_.wait(held, [&] { return stop_ || !tasks_.empty(); });
    if (stop_) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    held.unlock();
    task();
    held.lock();
  }
}

}  // namespace crv::io
