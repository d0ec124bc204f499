#include "io/base/job_queue.h"

#include <algorithm>

namespace crv::io {

void JobQueue::add(const std::string& name, std::function<void()> job) {
  {
    const std::lock_guard held(shared_->mutex);
    if (std::ranges::any_of(shared_->jobs, [&](const auto& waiting) { return waiting.first == name; }))
      return;
    shared_->jobs.emplace_back(name, std::move(job));
    if (std::exchange(shared_->is_posted, true)) return;
  }
  if (post()) return;
  std::unique_lock held(shared_->mutex);
  shared_->is_posted = false;
  work(*shared_, held);
}

bool JobQueue::post() noexcept {
  try {
    return executor_.post([shared = shared_] {
      std::unique_lock held(shared->mutex);
      shared->is_posted = false;
      work(*shared, held);
    });
  } catch (...) {  // out of memory: it is done here and now
    return false;
  }
}

// Whoever does a job goes on until none waits. So a job that is added while another is being done needs
// nobody else, and what the executor runs after that finds nothing to do.
void JobQueue::work(Shared& shared, std::unique_lock<std::mutex>& held) {
  if (shared.busy != std::thread::id()) return;
  while (!shared.jobs.empty()) {
    const std::function<void()> job = std::move(shared.jobs.front().second);
    shared.jobs.pop_front();
    shared.busy = std::this_thread::get_id();
    held.unlock();
    job();
    held.lock();
    shared.busy = std::thread::id();
  }
  shared.idle.notify_all();
}

void JobQueue::drain() {
  std::unique_lock held(shared_->mutex);
  if (shared_->busy == std::this_thread::get_id()) return;
  shared_->idle.wait(held, [&] { return shared_->busy == std::thread::id(); });
  work(*shared_, held);
}

}  // namespace crv::io
