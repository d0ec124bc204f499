#include "io/storage/os_errors.h"

#include <system_error>

namespace crv::io {
namespace {

std::string advice_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space, then try again";
    case EACCES:
    case EPERM:
      return "; check who owns it and its permissions";
    case EROFS:
      return "; the file system is mounted read-only";
    default:
      return "";
  }
}

}  // namespace

void fail_call(ErrorCode code, const std::string& what, const std::string& path, int error) {
  raise(code,
        what + " \"" + path + "\": " + std::generic_category().message(error) + " (errno " +
            std::to_string(error) + ")" + advice_for(error),
        {.path = path, .os_error = error});
}

void fail_write(const std::string& what, const std::string& path, int error) {
  fail_call(ErrorCode::write_failed, what, path, error);
}

void fail_read(const std::string& what, const std::string& path, int error) {
  fail_call(ErrorCode::read_failed, what, path, error);
}

bool not_offered(int error) {
  return error == EPERM || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

bool refused(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENOSPC:
    case EDQUOT:
    case EMLINK:
    case EXDEV:
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

}  // namespace crv::io
