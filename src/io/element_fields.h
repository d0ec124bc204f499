// Elements of a list of structs, and what a model says of them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "io/cell_checks.h"

namespace crv::io {

// A field of a model of rows.h as a value.
struct ElementField {
  enum class Kind { text, number, object, other };

  std::string name;
  bool required = false;
  Kind kind = Kind::other;

  bool takes(const arrow::DataType& type) const;
  std::string type_word() const;  // "a text"
};

// The fields of a model in order; none where there is no such model.
std::vector<ElementField> element_fields_of(std::string_view model);

// Calls `then` with the elements of a list or large_list of structs, or with one of their fields; `field` -1:
// the elements themselves. What stands below a null, or outside of any list, does not count.
void with_elements(const arrow::Array& lists, int field, const std::function<void(const Cells&)>& then);

}  // namespace crv::io
