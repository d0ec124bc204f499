// An executor that a test drives: nothing runs before it says so.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "crv/io/executor.h"

namespace crv::io {

// For one thread at a time.
class StepExecutor final : public Executor {
 public:
  std::size_t threads() const override { return 1; }
  bool post(std::function<void()> job) override {
    if (refuses) return false;
    jobs_.push_back(std::move(job));
    return true;
  }

  std::size_t waiting() const { return jobs_.size(); }
  // Runs the job that waits longest.
  void step() {
    const std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    job();
  }

  bool refuses = false;

 private:
  std::deque<std::function<void()>> jobs_;
};

}  // namespace crv::io
