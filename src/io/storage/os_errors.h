// What system calls answer, and what that means.
#pragma once

#include <cerrno>
#include <string>

#include "crv/core/error.h"

namespace crv::io {

// "<what> "<path>": <the error> (errno N); <what to do about it>".
[[noreturn]] void fail_call(ErrorCode code, const std::string& what, const std::string& path, int error);
[[noreturn]] void fail_write(const std::string& what, const std::string& path, int error);  // write_failed
[[noreturn]] void fail_read(const std::string& what, const std::string& path, int error);   // read_failed

// Calls again while a signal got in between. Never for fsync and close, where a second call may hide the
// first's loss.
template <class Call>
auto uninterrupted(const Call& call) {
  auto r = call();
  while (r == -EINTR) r = call();
  return r;
}

// As uninterrupted, for calls that only look: on NFS a name that another host has removed or replaced may
// lead to a stale handle once; the next look asks the server.
template <class Call>
int on_live_handles(const Call& call) {
  int r = uninterrupted(call);
  for (int i = 0; r == -ESTALE && i < 3; ++i) r = uninterrupted(call);
  return r;
}

// What a file system without hard links, or without rename-if-absent, says.
bool not_offered(int error);
// True if `error` of open, link or rename says that the name was surely not made.
bool refused(int error);

}  // namespace crv::io
