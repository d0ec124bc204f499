// The pieces of crv.io._io, one a file.
#pragma once

#include <memory>

#include <arrow/type_fwd.h>
#include <nanobind/nanobind.h>

#include "crv/io/manifest.h"
#include "crv/io/settings.h"

struct ArrowArrayStream;

namespace crv::python {

void bind_settings(nanobind::module_& m);
void bind_paths(nanobind::module_& m);
void bind_scan(nanobind::module_& m);
void bind_validate(nanobind::module_& m);
void bind_dataset(nanobind::module_& m);

// From the dict that crv.io.config makes of an IoSettings.
io::IoSettings settings_of(nanobind::handle fields);
// The plain form of crv.io.manifest: dicts and lists, as in manifest.json.
nanobind::dict plain(const io::TableManifest& manifest);
io::TableManifest manifest_of(nanobind::handle plain);

// The stream of an object with __arrow_c_stream__. Valid while the capsule that is returned lives; whoever
// moves the stream out of it leaves it released.
struct Stream {
  nanobind::object capsule;
  ArrowArrayStream* stream;
};
Stream stream_of(nanobind::handle object);

// A table on its way to Python, through __arrow_c_stream__.
struct TableOut {
  std::shared_ptr<arrow::Table> table;
};

}  // namespace crv::python
