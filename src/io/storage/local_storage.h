// Storage on a disk of this machine, or on a shared file system that is mounted like one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "crv/io/settings.h"
#include "io/base/os.h"
#include "io/storage/storage.h"

namespace crv::io {

// Gives 32 lower-case hex digits, never the same twice; safe for several threads.
using IdSource = std::function<std::string()>;

// `new_id` makes the names of temporary files unique. With Durability::none nothing is ever flushed: what a
// power cut leaves is then anybody's guess.
// Relative paths start from `working_folder` (absolute), or where that is empty from the process's working
// folder as it is now.
std::shared_ptr<Storage> local_storage(Durability durability = Durability::commit,
                                       std::shared_ptr<Os> os = posix_os(), IdSource new_id = random_id,
                                       std::string working_folder = {});

// True if the NFS mount of `device` remembers that a name was absent, so that a commit of another host could
// be missed: no lookupcache=none, pos or positive among its options, or no such mount in the text of
// /proc/self/mountinfo.
bool caches_absent_names(std::string_view mountinfo, std::string_view device);

}  // namespace crv::io
