#include "io/arrow/gather.h"

#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include "io/arrow/arrow_types.h"

namespace crv::io {

namespace {

using View = arrow::BinaryViewType::c_type;

template <class Index>
std::shared_ptr<arrow::Array> gather_views(const arrow::BinaryViewArray& values,
                                           const arrow::Array& indices) {
  const std::int64_t length = indices.length();
  const auto* index = indices.data()->GetValues<Index>(1);
  const auto* views = values.data()->GetValues<View>(1);
  std::shared_ptr<arrow::Buffer> out =
      check(arrow::AllocateBuffer(length * std::int64_t{sizeof(View)}), ErrorCode::wrong_type);
  std::shared_ptr<arrow::Buffer> valid = check(arrow::AllocateEmptyBitmap(length), ErrorCode::wrong_type);
  auto* out_views = reinterpret_cast<View*>(out->mutable_data());
  std::int64_t nulls = 0;
  for (std::int64_t i = 0; i < length; ++i) {
    out_views[i] = View{};
    if (indices.IsNull(i)) {
      ++nulls;
      continue;
    }
    const std::int64_t signed_at = index[i];
    const auto at = static_cast<std::uint64_t>(signed_at);  // a negative index is beyond the end, too
    if (at >= static_cast<std::uint64_t>(values.length())) {
      raise(ErrorCode::wrong_type, "a dictionary-encoded column holds the index " + std::to_string(index[i]) +
                                       ", but its dictionary has " + std::to_string(values.length()) +
                                       " values");
    }
    if (values.IsNull(static_cast<std::int64_t>(at))) {
      ++nulls;
      continue;
    }
    out_views[i] = views[at];
    arrow::bit_util::SetBit(valid->mutable_data(), i);
  }
  arrow::BufferVector buffers = values.data()->buffers;  // the text itself is shared
  buffers[0] = nulls == 0 ? nullptr : std::move(valid);
  buffers[1] = std::move(out);
  return arrow::MakeArray(arrow::ArrayData::Make(values.type(), length, std::move(buffers), nulls));
}

std::shared_ptr<arrow::Array> gather_views(const arrow::BinaryViewArray& values,
                                           const arrow::Array& indices) {
  switch (indices.type_id()) {
    case arrow::Type::INT8:
      return gather_views<std::int8_t>(values, indices);
    case arrow::Type::UINT8:
      return gather_views<std::uint8_t>(values, indices);
    case arrow::Type::INT16:
      return gather_views<std::int16_t>(values, indices);
    case arrow::Type::UINT16:
      return gather_views<std::uint16_t>(values, indices);
    case arrow::Type::INT32:
      return gather_views<std::int32_t>(values, indices);
    case arrow::Type::UINT32:
      return gather_views<std::uint32_t>(values, indices);
    case arrow::Type::INT64:
      return gather_views<std::int64_t>(values, indices);
    case arrow::Type::UINT64:
      return gather_views<std::uint64_t>(values, indices);
    default:
      raise(ErrorCode::wrong_type, "a dictionary's indices are " + indices.type()->ToString());
  }
}

}  // namespace

std::shared_ptr<arrow::Buffer> validity_of(const arrow::Array& array) {
  if (array.null_count() == 0 || array.null_bitmap() == nullptr) return nullptr;
  if (array.offset() == 0) return array.null_bitmap();
  return check(arrow::internal::CopyBitmap(arrow::default_memory_pool(), array.null_bitmap_data(),
                                           array.offset(), array.length()),
               ErrorCode::wrong_type);
}

std::shared_ptr<arrow::Array> gather(const std::shared_ptr<arrow::Array>& values,
                                     const std::shared_ptr<arrow::Array>& indices) {
  const auto id = values->type_id();
  if (id == arrow::Type::STRING_VIEW || id == arrow::Type::BINARY_VIEW)
    return gather_views(static_cast<const arrow::BinaryViewArray&>(*values), *indices);
  return check(arrow::compute::Take(arrow::Datum(values), arrow::Datum(indices)), ErrorCode::wrong_type)
      .make_array();
}

std::shared_ptr<arrow::Array> decode(const std::shared_ptr<arrow::Array>& values) {
  std::shared_ptr<arrow::Array> plain = values;
  while (plain->type_id() == arrow::Type::DICTIONARY) {  // a dictionary's values may be a dictionary again
    const auto& encoded = static_cast<const arrow::DictionaryArray&>(*plain);
    plain = gather(encoded.dictionary(), encoded.indices());
  }
  return plain;
}

}  // namespace crv::io
