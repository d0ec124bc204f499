#include <memory>
#include <string>
#include <utility>

#include <arrow/table.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>

#include "crv/core/descriptor.h"
#include "crv/core/error.h"
#include "crv/core/suggest.h"
#include "crv/io/frame.h"
#include "io/conform/conform.h"
#include "io/json.h"
#include "io/parts.h"
#include "io/text_caster.h"

namespace crv::python {

namespace nb = nanobind;

namespace {

// Of those that conform() casts to; Python's descriptors may say anything.
core::Type type_of(const std::string& text) {
  using Kind = core::Type::Kind;
  for (const core::Type& type :
       {core::plain_type(Kind::i64), core::plain_type(Kind::f64), core::plain_type(Kind::str),
        core::open_struct(), core::list_of(core::open_struct())})
    if (core::text_of(type) == text) return type;
  raise(ErrorCode::bad_argument, "\"" + text + "\" is no column type", {.value = text});
}

// From (name, [(column, dtype, required)]).
core::TableDescriptor descriptor_of(const std::string& name, const nb::list& columns) {
  core::TableDescriptor descriptor{name, {}, core::schema_version(), {}, {}};
  const core::TableDescriptor* built_in = core::find_table(name);
  for (nb::handle given : columns) {
    core::ColumnDescriptor column{nb::cast<std::string>(given[0]), type_of(nb::cast<std::string>(given[1])),
                                  nb::cast<bool>(given[2])};
    if (const auto* same = built_in == nullptr ? nullptr : built_in->find(column.name))
      column.rule = same->rule;
    descriptor.columns.push_back(std::move(column));
    if (descriptor.columns.back().required)
      descriptor.required_order.push_back(descriptor.columns.back().name);
  }
  return descriptor;
}

}  // namespace

void bind_validate(nb::module_& m) {
  m.def("first_too_deep", &first_too_deep);
  m.def("no_such_table", [](const std::string& name) { return core::no_such_table(name); });
  m.def(
      "conform",
      [](nb::handle frame, const std::string& table, const nb::list& columns, bool strict) {
        const core::TableDescriptor descriptor = descriptor_of(table, columns);
        const Stream given = stream_of(frame);
        std::shared_ptr<arrow::Table> conformed;
        {
          nb::gil_scoped_release unlocked;
          conformed =
              io::conform(*io::Frame(given.stream).table(), descriptor, {}, {.strict_schema = strict}).table;
        }
        return TableOut{std::move(conformed)};
      },
      nb::arg("frame"), nb::arg("table"), nb::arg("columns"), nb::arg("strict"));
}

}  // namespace crv::python
