// How far long work is, on a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "crv/io/dataset.h"
#include "shell/shell.h"

namespace crv::cli {

// A line on standard error that is drawn over, from half a second on; none where that is no terminal, or with
// --quiet or --json. Gone when the object is. Ends the work where the user asked for that.
class ProgressLine {
 public:
  enum class Unit { count, bytes };
  ProgressLine(const Shell& shell, std::string label, Unit unit = Unit::count);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Units done, of those there are (0: not known). Throws IoError (interrupted).
  void show(std::int64_t done, std::int64_t total);
  // For the library; must not outlive this.
  io::Progress callback() {
    return [this](std::int64_t done, std::int64_t total) { show(done, total); };
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::string amount(std::int64_t units) const;

  bool enabled_;
  bool drawn_ = false;
  std::string label_;
  Unit unit_;
  Clock::time_point next_;
};

}  // namespace crv::cli
