#include "shell/progress.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "output/words.h"
#include "shell/interrupt.h"

namespace crv::cli {
namespace {

constexpr auto kFirst = std::chrono::milliseconds(500);
constexpr auto kEvery = std::chrono::milliseconds(100);
constexpr std::int64_t kBarWidth = 30;
constexpr const char* kClearLine = "\r\x1b[K";

std::string bar(std::int64_t done, std::int64_t total) {
  const double share = std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(kBarWidth));
  std::string text(filled, '#');
  text.resize(kBarWidth, '.');
  return "[" + text + "] " + std::to_string(static_cast<int>(share * 100)) + "%";
}

}  // namespace

ProgressLine::ProgressLine(const Shell& shell, std::string label, Unit unit)
    : enabled_(isatty(STDERR_FILENO) == 1 && !shell.globals.quiet && !shell.globals.json),
      label_(std::move(label)),
      unit_(unit),
      next_(Clock::now() + kFirst) {}

ProgressLine::~ProgressLine() {
  if (drawn_) std::cerr << kClearLine << std::flush;
}

std::string ProgressLine::amount(std::int64_t units) const {
  return unit_ == Unit::bytes ? bytes_text(units) : with_commas(units);
}

void ProgressLine::show(std::int64_t done, std::int64_t total) {
  stop_if_interrupted();
  if (!enabled_ || Clock::now() < next_) return;
  next_ = Clock::now() + kEvery;
  drawn_ = true;
  std::cerr << kClearLine << label_ << ' ';
  if (total > 0)
    std::cerr << bar(done, total) << ' ' << amount(done) << " of " << amount(total);
  else
    std::cerr << amount(done);
  std::cerr << std::flush;
}

}  // namespace crv::cli
