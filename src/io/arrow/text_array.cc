#include "io/arrow/text_array.h"

#include <arrow/array/builder_binary.h>

#include "io/arrow/arrow_types.h"

namespace crv::io {

using ArrayPtr = std::shared_ptr<arrow::Array>;

bool is_text(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING ||
         type.id() == arrow::Type::STRING_VIEW;
}

namespace {

template <class Builder>
ArrayPtr copy_views(const arrow::BinaryViewArray& views) {
  Builder builder;
  std::int64_t bytes = 0;
  for (std::int64_t i = 0; i < views.length(); ++i)
    if (!views.IsNull(i)) bytes += static_cast<std::int64_t>(views.GetView(i).size());
  check(builder.Reserve(views.length()), ErrorCode::wrong_type);
  check(builder.ReserveData(bytes), ErrorCode::wrong_type);
  for (std::int64_t i = 0; i < views.length(); ++i)
    if (views.IsNull(i))
      builder.UnsafeAppendNull();
    else
      builder.UnsafeAppend(views.GetView(i));
  return check(builder.Finish(), ErrorCode::wrong_type);
}

}  // namespace

ArrayPtr without_views(const ArrayPtr& values) {
  if (values->type_id() == arrow::Type::STRING_VIEW)
    return copy_views<arrow::LargeStringBuilder>(static_cast<const arrow::BinaryViewArray&>(*values));
  if (values->type_id() == arrow::Type::BINARY_VIEW)
    return copy_views<arrow::LargeBinaryBuilder>(static_cast<const arrow::BinaryViewArray&>(*values));
  return values;
}

}  // namespace crv::io
