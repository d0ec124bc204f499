// Where a Dataset does the work that is not its caller's.
#pragma once

#include <cstddef>
#include <functional>

namespace crv::io {

// Shared by as many Datasets as like to; it must outlive them. Safe for several threads.
class Executor {
 public:
  virtual ~Executor() = default;
  // Threads that one call may use at a time, its caller's among them. With 1 a call does all of its work
  // itself, in order.
  virtual std::size_t threads() const = 0;
  // Runs `job` once, at any time, on any thread but within this call. A job never throws, waits for no other
  // job, and may be dropped once nobody calls the Dataset any more. False where it cannot be run: its work is
  // then done by the call that needs it.
  virtual bool post(std::function<void()> job) = 0;
};

}  // namespace crv::io
