// Threads for short, independent pieces of work.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "io/base/os.h"

namespace crv::io {

std::size_t cores();

// Calls job(0..count-1) on up to `threads` threads, as far as they can be had, the caller's among them. The
// first exception stops the rest and is thrown again. On one thread, they are called in order.
void in_parallel(std::size_t threads, std::size_t count, const std::function<void(std::size_t)>& job);

// A few threads that take tasks in order. Starts them with the first tasks; joins them when destroyed, after
// the tasks that have begun. Where no thread can be had a task is done at once. A forked child has none of
// them, and waits for none.
class Workers {
 public:
  explicit Workers(std::size_t threads) : wanted_(threads) {}
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  template <class T>
  std::future<T> start(std::function<T()> task) {
    auto packed = std::make_shared<std::packaged_task<T()>>(std::move(task));
    std::future<T> result = packed->get_future();
    if (!post([packed] { (*packed)(); })) (*packed)();
    return result;
  }
  // The same of a task that does not throw; false where no thread can be had.
  bool post(std::function<void()> task);

 private:
  void work();

  struct Shared {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::function<void()>> tasks;
    std::vector<std::thread> threads;
    bool stop = false;
  };
  std::size_t wanted_;
  const std::int64_t process_ = process_id();
  std::unique_ptr<Shared> shared_ = std::make_unique<Shared>();
};

}  // namespace crv::io
