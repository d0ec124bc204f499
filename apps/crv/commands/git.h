// What git says of the working directory.
#pragma once

#include "crv/io/dataset.h"

namespace crv::cli {

// Nothing of it where there is no git, or no repository.
io::GitState git_of_working_directory();

}  // namespace crv::cli
