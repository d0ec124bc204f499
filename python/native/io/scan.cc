#include <string>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include "crv/core/error.h"
#include "crv/io/dataset.h"
#include "io/dataset/arrow_filter.h"
#include "io/parts.h"
#include "io/text_caster.h"
#include "to_python.h"

namespace crv::python {

namespace nb = nanobind;

namespace {

// The capsules of the Arrow PyCapsule interface; what nobody took is released with them.
template <class T>
nb::object capsule(T* content, const char* name) {
  PyObject* made = PyCapsule_New(content, name, [](PyObject* object) {
    auto* held = static_cast<T*>(PyCapsule_GetPointer(object, PyCapsule_GetName(object)));
    if (held->release) held->release(held);
    delete held;
  });
  if (!made) nb::raise_python_error();
  return nb::steal(made);
}

void ok(const arrow::Status& status) {
  if (!status.ok()) io::rethrow(status);
}

nb::object schema_capsule(const arrow::Schema& schema) {
  auto exported = std::make_unique<ArrowSchema>();
  ok(arrow::ExportSchema(schema, exported.get()));
  return capsule(exported.release(), "arrow_schema");
}

struct Batch {
  std::shared_ptr<arrow::RecordBatch> batch;

  nb::object arrow_c_array(nb::handle) const {
    auto array = std::make_unique<ArrowArray>();
    auto schema = std::make_unique<ArrowSchema>();
    ok(arrow::ExportRecordBatch(*batch, array.get(), schema.get()));
    return nb::make_tuple(capsule(schema.release(), "arrow_schema"), capsule(array.release(), "arrow_array"));
  }
};

struct BatchReader {
  std::shared_ptr<arrow::RecordBatchReader> reader;

  // None at the end.
  nb::object next() {
    Batch next;
    {
      nb::gil_scoped_release unlocked;
      ok(reader->ReadNext(&next.batch));
    }
    return next.batch ? nb::cast(std::move(next)) : nb::none();
  }
};

nb::object stream_capsule(const std::shared_ptr<arrow::Table>& table) {
  auto stream = std::make_unique<ArrowArrayStream>();
  ok(arrow::ExportRecordBatchReader(std::make_shared<arrow::TableBatchReader>(table), stream.get()));
  return capsule(stream.release(), "arrow_array_stream");
}

nb::object stream_capsule(const io::Scan& scan) {
  auto stream = std::make_unique<ArrowArrayStream>();
  scan.export_to(stream.get());
  return capsule(stream.release(), "arrow_array_stream");
}

// (the scan over the parts that can match, the columns that the filter speaks of)
nb::tuple prune_by_arrow(const io::Scan& scan, const nb::bytes& filter) {
  const auto buffer = std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(filter.c_str()),
                                                      static_cast<std::int64_t>(filter.size()));
  std::optional<io::FilteredScan> pruned;
  {
    nb::gil_scoped_release unlocked;
    pruned = io::prune(scan, buffer);
  }
  return nb::make_tuple(std::move(pruned->scan), std::move(pruned->columns));
}

using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;

io::Scan prune(const io::Scan& scan, const Ranges& ranges) {
  std::vector<io::TickRange> ticks;
  for (const auto& [first, last] : ranges) ticks.push_back({first, last});
  return scan.prune(ticks);
}

Ranges ticks(const io::Scan& scan) {
  Ranges ranges;
  for (const io::TickRange& range : scan.ticks()) ranges.emplace_back(*range.min, *range.max);
  return ranges;
}

nb::list plan(const io::Scan& scan) {
  nb::list all;
  for (const io::PartPlan& plan : scan.plan()) all.append(to_python(io::to_json(plan)));
  return all;
}

}  // namespace

Stream stream_of(nb::handle object) {
  nb::object capsule = object.attr("__arrow_c_stream__")();
  void* content = PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream");
  if (!content) nb::raise_python_error();
  return {std::move(capsule), static_cast<ArrowArrayStream*>(content)};
}

void bind_scan(nb::module_& m) {
  nb::class_<Batch>(m, "Batch")
      .def("__arrow_c_array__", &Batch::arrow_c_array, nb::arg("requested_schema") = nb::none());
  nb::class_<TableOut>(m, "Table")
      .def(
          "__arrow_c_stream__", [](const TableOut& out, nb::handle) { return stream_capsule(out.table); },
          nb::arg("requested_schema") = nb::none());
  nb::class_<BatchReader>(m, "BatchReader").def("next", &BatchReader::next);
  nb::class_<io::Scan>(m, "Scan")
      .def("__arrow_c_schema__", [](const io::Scan& scan) { return schema_capsule(*scan.schema()); })
      .def(
          "__arrow_c_stream__", [](const io::Scan& scan, nb::handle) { return stream_capsule(scan); },
          nb::arg("requested_schema") = nb::none())
      .def("reader", [](const io::Scan& scan) { return BatchReader{scan.reader()}; })
      .def("files", &io::Scan::files)
      .def("plan", &plan)
      .def("explain", &io::Scan::explain)
      .def_prop_ro("bucket_size", &io::Scan::tick_bucket_size)
      .def_prop_ro("tick_min", [](const io::Scan& scan) { return scan.range().min; })
      .def_prop_ro("tick_max", [](const io::Scan& scan) { return scan.range().max; })
      .def("ticks", &ticks)
      .def("prune", &prune, nb::arg("ranges"))
      .def("prune_by_arrow", &prune_by_arrow, nb::arg("filter"))
      .def("head", &io::Scan::head, nb::arg("rows"))
      .def("select", &io::Scan::select, nb::arg("columns"))
      .def("for_polars", &io::Scan::for_polars)
      .def("readable_by_others", &io::Scan::readable_by_others)
      .def("check_parts", &io::Scan::check_parts, nb::arg("checksums"),
           nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace crv::python
