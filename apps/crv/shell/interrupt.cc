#include "shell/interrupt.h"

#include <csignal>

#include "crv/core/error.h"

namespace crv::cli {
namespace {

volatile std::sig_atomic_t asked_to_stop = 0;

void on_interrupt(int) {
  asked_to_stop = 1;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESETHAND;  // not SA_RESTART: a blocked read must come back
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
}

bool interrupted() noexcept {
  return asked_to_stop != 0;
}

void stop_if_interrupted() {
  if (interrupted()) raise(ErrorCode::interrupted, "stopped");
}

}  // namespace crv::cli
