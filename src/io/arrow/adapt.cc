#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bitmap_ops.h>

#include "io/arrow/arrow_types.h"
#include "io/schema/types.h"

namespace crv::io {

namespace {

using Kind = Type::Kind;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using DataPtr = std::shared_ptr<arrow::ArrayData>;

class Adapter {
 public:
  explicit Adapter(const ErrorFacts& facts) : facts_(facts) {}

  ArrayPtr run(const ArrayPtr& array, const Type& type) const {
    const std::shared_ptr<arrow::DataType> target = to_arrow(type);
    if (array->type()->Equals(*target, /*check_metadata=*/true)) return array;
    switch (array->type_id()) {
      case arrow::Type::NA:
        return take(arrow::MakeArrayOfNull(target, array->length()));
      case arrow::Type::EXTENSION:
        return run(static_cast<const arrow::ExtensionArray&>(*array).storage(), type);
      case arrow::Type::DICTIONARY:
        return decode(static_cast<const arrow::DictionaryArray&>(*array), type);
      default:
        break;
    }
    if (type.kind != Kind::structure && is_unknown(*array))
      return take(arrow::MakeArrayOfNull(target, array->length()));
    switch (type.kind) {
      case Kind::list:
        return adapt_list(array, type, target);
      case Kind::structure:
        return adapt_struct(array, type, target);
      default:
        return adapt_value(array, type, target);
    }
  }

 private:
  template <class T>
  T take(arrow::Result<T> result) const {
    return check(std::move(result), ErrorCode::part_damaged, facts_);
  }

  [[noreturn]] void do_not_meet(const arrow::Array& array, const Type& type) const {
    ErrorFacts facts = facts_;
    facts.value = array.type()->ToString();
    raise(ErrorCode::part_damaged,
          (facts.path.empty() ? "" : facts.path + ": ") +
              (facts.column.empty() ? "a column" : "column \"" + facts.column + "\"") +
              " holds values of the type " + facts.value + ", which cannot be read as " + text_of(type),
          facts);
  }

  // How a part holds list elements whose type nobody knew: as null structs of nothing but "_empty".
  static bool is_unknown(const arrow::Array& array) {
    return array.type_id() == arrow::Type::STRUCT && array.type()->num_fields() == 1 &&
           array.type()->field(0)->name() == kEmptyField && array.null_count() == array.length();
  }

  ArrayPtr cast(const ArrayPtr& array, const std::shared_ptr<arrow::DataType>& target) const {
    ensure_compute();
    return take(arrow::compute::Cast(*array, target));
  }

  ArrayPtr decode(const arrow::DictionaryArray& array, const Type& type) const {
    ensure_compute();
    return take(arrow::compute::Take(*run(array.dictionary(), type), *array.indices()));
  }

  ArrayPtr adapt_value(const ArrayPtr& array, const Type& type,
                       const std::shared_ptr<arrow::DataType>& target) const {
    const arrow::Type::type id = array->type_id();
    if (type.kind == Kind::f64 && arrow::is_integer(id)) {
      ensure_compute();
      return take(arrow::compute::Cast(*array, target, arrow::compute::CastOptions::Unsafe()));
    }
    if (array->type()->id() == arrow::Type::TIMESTAMP && is_same_moment(*array->type(), *target))
      return take(array->View(target));
    if (type.kind == Kind::str && arrow::is_decimal(id)) return cast(array, target);
    // Between ways to store one type Arrow's cast is safe: what does not fit is an error, not another value.
    const Type held = from_array(*array);
    if (held.kind != type.kind || held.other != type.other) do_not_meet(*array, type);
    return cast(array, target);
  }

  // Timestamps of one unit, each in a zone of its own.
  static bool is_same_moment(const arrow::DataType& a, const arrow::DataType& b) {
    if (a.id() != arrow::Type::TIMESTAMP || b.id() != arrow::Type::TIMESTAMP) return false;
    const auto& one = static_cast<const arrow::TimestampType&>(a);
    const auto& other = static_cast<const arrow::TimestampType&>(b);
    return one.unit() == other.unit() && !one.timezone().empty() && !other.timezone().empty();
  }

  Type from_array(const arrow::Array& array) const {
    try {
      return from_arrow(*array.type(), facts_.column);
    } catch (const IoSchemaError& error) {
      raise(ErrorCode::part_damaged, (facts_.path.empty() ? "" : facts_.path + ": ") + error.what(), facts_);
    }
  }

  // A bitmap that begins at bit 0, or null where nothing is null.
  std::shared_ptr<arrow::Buffer> validity(const arrow::ArrayData& data) const {
    if (data.buffers[0] == nullptr || data.GetNullCount() == 0) return nullptr;
    if (data.offset == 0) return data.buffers[0];
    return take(arrow::internal::CopyBitmap(arrow::default_memory_pool(), data.buffers[0]->data(),
                                            data.offset, data.length));
  }

  ArrayPtr adapt_struct(const ArrayPtr& array, const Type& type,
                        const std::shared_ptr<arrow::DataType>& target) const {
    if (array->type_id() != arrow::Type::STRUCT) do_not_meet(*array, type);
    const auto& given = static_cast<const arrow::StructArray&>(*array);
    std::vector<DataPtr> children;
    children.reserve(type.fields.size());
    std::map<arrow::Type::type, DataPtr> nulls;  // what missing fields of one type share
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
      const Field& field = type.fields[i];
      const std::vector<int> at =
          static_cast<const arrow::StructType&>(*array->type()).GetAllFieldIndices(field.name);
      if (at.size() > 1) do_not_meet(*array, type);
      if (at.empty()) {
        const auto& missing = target->field(static_cast<int>(i))->type();
        DataPtr& shared = nulls[missing->id()];
        if (!shared || !shared->type->Equals(*missing))
          shared = take(arrow::MakeArrayOfNull(missing, array->length()))->data();
        children.push_back(shared);
      } else {
        // field() slices the child as the struct is sliced.
        children.push_back(
            Adapter(with_column("." + field.name)).run(given.field(at[0]), field.type)->data());
      }
    }
    return arrow::MakeArray(arrow::ArrayData::Make(target, array->length(), {validity(*array->data())},
                                                   std::move(children), array->null_count()));
  }

  ArrayPtr adapt_list(const ArrayPtr& array, const Type& type,
                      const std::shared_ptr<arrow::DataType>& target) const {
    switch (array->type_id()) {
      case arrow::Type::LIST:
        return adapt_elements(static_cast<const arrow::ListArray&>(*array), type, target);
      case arrow::Type::MAP:
        return adapt_elements(static_cast<const arrow::MapArray&>(*array), type, target);
      case arrow::Type::LARGE_LIST:
        return adapt_elements(static_cast<const arrow::LargeListArray&>(*array), type, target);
      case arrow::Type::FIXED_SIZE_LIST:
        return adapt_elements(static_cast<const arrow::FixedSizeListArray&>(*array), type, target);
      case arrow::Type::LIST_VIEW:
        return adapt_view(static_cast<const arrow::ListViewArray&>(*array), type, target);
      case arrow::Type::LARGE_LIST_VIEW:
        return adapt_view(static_cast<const arrow::LargeListViewArray&>(*array), type, target);
      default:
        do_not_meet(*array, type);
    }
  }

  // Takes only the elements that this slice refers to, so that offsets begin at zero.
  template <class List>
  ArrayPtr adapt_elements(const List& list, const Type& type,
                          const std::shared_ptr<arrow::DataType>& target) const {
    const std::int64_t first = list.length() == 0 ? 0 : list.value_offset(0);
    const std::int64_t last = list.length() == 0 ? 0 : list.value_offset(list.length());
    return make_list(
        list, list.values()->Slice(first, last - first),
        [&](std::int64_t i) { return list.value_offset(i + 1) - first; }, type, target);
  }

  // The elements of a view may lie in any order, so they are copied into that of the lists.
  template <class View>
  ArrayPtr adapt_view(const View& view, const Type& type,
                      const std::shared_ptr<arrow::DataType>& target) const {
    std::int64_t end = 0;
    return make_list(
        view, take(view.Flatten()),
        [&](std::int64_t i) { return end += view.IsNull(i) ? 0 : view.value_length(i); }, type, target);
  }

  // A list array of `elements`, nulls as in `given`; end_of(i), called for each i in turn, tells where list i
  // ends.
  template <class EndOf>
  ArrayPtr make_list(const arrow::Array& given, const ArrayPtr& elements, EndOf end_of, const Type& type,
                     const std::shared_ptr<arrow::DataType>& target) const {
    if (elements->length() > std::numeric_limits<std::int32_t>::max()) {
      check(arrow::Status::CapacityError("more than 2^31 list elements in a batch"), ErrorCode::part_damaged,
            facts_);
    }
    const ArrayPtr adapted = Adapter(with_column("[]")).run(elements, type.fields.at(0).type);
    const std::int64_t length = given.length();
    std::shared_ptr<arrow::Buffer> offsets =
        take(arrow::AllocateBuffer((length + 1) * static_cast<std::int64_t>(sizeof(std::int32_t))));
    auto* out = reinterpret_cast<std::int32_t*>(offsets->mutable_data());
    out[0] = 0;
    for (std::int64_t i = 0; i < length; ++i) out[i + 1] = static_cast<std::int32_t>(end_of(i));
    return arrow::MakeArray(arrow::ArrayData::Make(target, length,
                                                   {validity(*given.data()), std::move(offsets)},
                                                   {adapted->data()}, given.null_count()));
  }

  ErrorFacts with_column(const std::string& suffix) const {
    ErrorFacts facts = facts_;
    if (!facts.column.empty()) facts.column += suffix;
    return facts;
  }

  ErrorFacts facts_;
};

}  // namespace

std::shared_ptr<arrow::Array> adapt(const std::shared_ptr<arrow::Array>& array, const Type& type,
                                    const ErrorFacts& facts) {
  return Adapter(facts).run(array, type);
}

}  // namespace crv::io
