// The executor of a Dataset that was given none: one thread for what goes on in the background, and as many
// as there are cores for a call.
#pragma once

#include <cstddef>
#include <functional>

#include "crv/io/executor.h"
#include "io/base/parallel.h"

namespace crv::io {

// The thread starts with the first job and ends with this, after the job that has begun.
class ThreadExecutor final : public Executor {
 public:
  std::size_t threads() const override { return cores(); }
  bool post(std::function<void()> job) override { return background_.post(std::move(job)); }

 private:
  Workers background_{1};
};

}  // namespace crv::io
