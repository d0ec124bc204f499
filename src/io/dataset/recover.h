// Puts a run together again whose log does not stand: a fence first, then evidence decides, then a new log
// takes the place of the old one. Stopped anywhere and done again, the result is the same.
#pragma once

#include <string>

#include "crv/io/dataset.h"
#include "io/run/run.h"

namespace crv::io {

// `table`: whose manifest the report holds; all tables are rebuilt.
RebuildReport recover(Run& run, const std::string& table, const Progress& progress);
// The table as recover() would make it; writes nothing.
TableManifest look_for_evidence(Run& run, const std::string& table);

}  // namespace crv::io
