// Ctrl-C: the first one asks the work to stop where it can do so cleanly, the second one ends the process at
// once. Both leave a run whole.
#pragma once

namespace crv::cli {

void catch_interrupts();
bool interrupted() noexcept;
// Throws IoError (interrupted) where interrupted() is true.
void stop_if_interrupted();

}  // namespace crv::cli
