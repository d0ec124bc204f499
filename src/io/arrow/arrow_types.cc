#include "io/arrow/arrow_types.h"

#include <array>
#include <new>
#include <optional>
#include <set>
#include <string_view>

#include <arrow/compute/initialize.h>
#include <arrow/extension_type.h>
#include <arrow/status.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/io_util.h>

#include "core/number_text.h"
#include "crv/io/frame.h"

namespace crv::io {

namespace {

using Kind = Type::Kind;

// Carries an exception through Arrow.
class ExceptionDetail : public arrow::StatusDetail {
 public:
  explicit ExceptionDetail(std::exception_ptr error) : error_(std::move(error)) {}
  const char* type_id() const override { return kTypeId; }
  std::string ToString() const override { return "an exception of crv"; }
  const std::exception_ptr& error() const { return error_; }

  static constexpr const char* kTypeId = "crv::io::ExceptionDetail";

 private:
  std::exception_ptr error_;
};

// Names of Arrow types as their ToString() writes them: a word, then arguments in brackets of either kind.
struct TypeText {
  std::string_view word, arguments;
};

std::optional<TypeText> split_type_text(std::string_view text) {
  const std::size_t open = text.find_first_of("[(");
  if (open == std::string_view::npos) return TypeText{text, {}};
  if (text.back() != (text[open] == '[' ? ']' : ')')) return std::nullopt;
  return TypeText{text.substr(0, open), text.substr(open + 1, text.size() - open - 2)};
}

std::optional<arrow::TimeUnit::type> parse_unit(std::string_view text) {
  if (text == "s") return arrow::TimeUnit::SECOND;
  if (text == "ms") return arrow::TimeUnit::MILLI;
  if (text == "us") return arrow::TimeUnit::MICRO;
  if (text == "ns") return arrow::TimeUnit::NANO;
  return std::nullopt;
}

std::shared_ptr<arrow::DataType> parse_decimal(const TypeText& text) {
  const std::size_t comma = text.arguments.find(", ");
  if (comma == std::string_view::npos) return nullptr;
  const auto precision = core::parse_number<std::int32_t>(text.arguments.substr(0, comma));
  const auto scale = core::parse_number<std::int32_t>(text.arguments.substr(comma + 2));
  if (!precision || !scale || *scale < 0 || *scale > *precision) return nullptr;
  auto type = text.word == "decimal128" ? arrow::Decimal128Type::Make(*precision, *scale)
                                        : arrow::Decimal256Type::Make(*precision, *scale);
  return type.ok() ? *type : nullptr;
}

std::shared_ptr<arrow::DataType> parse_temporal(const TypeText& text) {
  const std::size_t comma = text.arguments.find(", tz=");
  const auto unit = parse_unit(text.arguments.substr(0, comma));
  if (!unit) return nullptr;
  if (text.word == "timestamp") {
    if (comma == std::string_view::npos) return arrow::timestamp(*unit);
    return arrow::timestamp(*unit, std::string(text.arguments.substr(comma + 5)));
  }
  if (text.word == "duration") return arrow::duration(*unit);
  if (text.word == "time32" && *unit == arrow::TimeUnit::MILLI) return arrow::time32(*unit);
  if (text.word == "time64" && *unit >= arrow::TimeUnit::MICRO) return arrow::time64(*unit);
  return nullptr;
}

// The type that an `other` stands for; null for a text that canonical_other() does not write.
std::shared_ptr<arrow::DataType> parse_other(const std::string& name) {
  const std::optional<TypeText> text = split_type_text(name);
  std::shared_ptr<arrow::DataType> type;
  if (!text) return nullptr;
  if (text->word == "binary") type = arrow::binary();
  if (text->word == "date32") type = arrow::date32();
  if (text->word.starts_with("decimal")) type = parse_decimal(*text);
  if (text->word == "fixed_size_binary") {
    const auto width = core::parse_number<std::int32_t>(text->arguments);
    if (width && *width > 0) type = arrow::fixed_size_binary(*width);
  }
  if (text->word.starts_with("time") || text->word == "duration") type = parse_temporal(*text);
  return type != nullptr && type->ToString() == name ? type : nullptr;
}

// The one Arrow type by which an `other` is stored; null for what Parquet cannot hold.
std::shared_ptr<arrow::DataType> canonical_other(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
      return arrow::binary();
    case arrow::Type::FIXED_SIZE_BINARY: {
      const std::int32_t width = static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width();
      return width > 0 ? arrow::fixed_size_binary(width) : nullptr;
    }
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return arrow::date32();
    case arrow::Type::TIME32:
      return arrow::time32(arrow::TimeUnit::MILLI);
    case arrow::Type::TIME64:
      return arrow::time64(static_cast<const arrow::Time64Type&>(type).unit());
    case arrow::Type::DURATION:
      return arrow::duration(static_cast<const arrow::DurationType&>(type).unit());
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      const bool seconds = timestamp.unit() == arrow::TimeUnit::SECOND;
      return arrow::timestamp(seconds ? arrow::TimeUnit::MILLI : timestamp.unit(), timestamp.timezone());
    }
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      if (decimal.scale() < 0 || decimal.scale() > decimal.precision()) return nullptr;
      if (decimal.precision() > arrow::Decimal128Type::kMaxPrecision)
        return arrow::decimal256(decimal.precision(), decimal.scale());
      return arrow::decimal128(decimal.precision(), decimal.scale());
    }
    default:
      return nullptr;
  }
}

[[noreturn]] void refuse(ErrorCode code, const std::string& path, const arrow::DataType* type,
                         const std::string& what) {
  ErrorFacts facts;
  facts.column = path;
  if (type) facts.value = type->ToString();
  raise(code, "column \"" + path + "\": " + what, facts);
}

Type convert(const arrow::DataType& type, const std::string& path, int depth);

std::vector<Field> convert_fields(const arrow::FieldVector& fields, const std::string& path, int depth) {
  std::vector<Field> result;
  std::set<std::string_view> names;
  for (const auto& field : fields) {
    const std::string below = path.empty() ? field->name() : path + "." + field->name();
    if (!names.insert(field->name()).second)
      refuse(ErrorCode::duplicate_column, below, nullptr, "the name stands twice; give each its own");
    result.push_back({field->name(), convert(*field->type(), below, depth)});
  }
  return result;
}

bool is_empty_struct(const arrow::DataType& type) {
  if (type.num_fields() != 1 || type.field(0)->name() != kEmptyField) return false;
  const arrow::Type::type id = type.field(0)->type()->id();
  return id == arrow::Type::BOOL || id == arrow::Type::NA;
}

Type convert_other(const arrow::DataType& type, const std::string& path) {
  const std::shared_ptr<arrow::DataType> canonical = canonical_other(type);
  if (!canonical)
    refuse(ErrorCode::wrong_type, path, &type, "values of the type " + type.ToString() + " cannot be stored");
  Type result = core::plain_type(Kind::other);
  result.other = canonical->ToString();
  return result;
}

Type convert(const arrow::DataType& type, const std::string& path, int depth) {
  if (depth > kMaxTypeDepth) {
    refuse(ErrorCode::wrong_type, path, nullptr,
           "nested deeper than " + std::to_string(kMaxTypeDepth) + " levels");
  }
  switch (type.id()) {
    case arrow::Type::NA:
      return core::plain_type(Kind::null);
    case arrow::Type::BOOL:
      return core::plain_type(Kind::boolean);
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return core::plain_type(Kind::str);
    case arrow::Type::DICTIONARY:
      return convert(*static_cast<const arrow::DictionaryType&>(type).value_type(), path, depth + 1);
    case arrow::Type::EXTENSION:
      return convert(*static_cast<const arrow::ExtensionType&>(type).storage_type(), path, depth + 1);
    case arrow::Type::STRUCT:
      if (is_empty_struct(type)) return struct_of({});
      return struct_of(convert_fields(type.fields(), path, depth + 1));
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::LIST_VIEW:
    case arrow::Type::LARGE_LIST_VIEW:
    case arrow::Type::MAP:
      return list_of(convert(*type.field(0)->type(), path + "[]", depth + 1));
    default:
      if (arrow::is_integer(type.id())) return core::plain_type(Kind::i64);
      if (arrow::is_floating(type.id())) return core::plain_type(Kind::f64);
      return convert_other(type, path);
  }
}

}  // namespace

void check(const arrow::Status& status, ErrorCode code, const ErrorFacts& facts) {
  if (status.ok()) return;
  bool out_of_memory = status.IsOutOfMemory();
  if (const std::exception_ptr error = exception_of(status)) try {
      std::rethrow_exception(error);
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
    }
  ErrorFacts told = facts;
  if (out_of_memory) code = ErrorCode::out_of_memory;
  told.os_error = arrow::internal::ErrnoFromStatus(status);
  if (told.os_error != 0 && code == ErrorCode::part_damaged) code = ErrorCode::read_failed;
  std::string message = status.message();
  if (!facts.column.empty()) message = "column \"" + facts.column + "\": " + message;
  if (!facts.path.empty()) message = facts.path + ": " + message;
  raise(code, message, told);
}

arrow::Status status_of(std::exception_ptr error) {
  std::string text = "an unknown exception";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    text = known.what();
  } catch (...) {
  }
  return {arrow::StatusCode::IOError, text, std::make_shared<ExceptionDetail>(std::move(error))};
}

std::exception_ptr exception_of(const arrow::Status& status) {
  const auto& detail = status.detail();
  if (detail == nullptr || std::string_view(detail->type_id()) != ExceptionDetail::kTypeId) return nullptr;
  return static_cast<const ExceptionDetail&>(*detail).error();
}

void ensure_compute() {
  static const arrow::Status status = arrow::compute::Initialize();
  check(status, ErrorCode::read_failed);
}

std::shared_ptr<arrow::DataType> to_arrow(const Type& type) {
  switch (type.kind) {
    case Kind::null:
      return arrow::null();
    case Kind::boolean:
      return arrow::boolean();
    case Kind::i64:
      return arrow::int64();
    case Kind::f64:
      return arrow::float64();
    case Kind::str:
      return arrow::utf8();
    case Kind::list:
      return arrow::list(arrow::field("element", to_arrow(type.fields.at(0).type)));
    case Kind::structure:
      return arrow::struct_(to_arrow(type.fields)->fields());
    case Kind::other:
      break;
  }
  if (auto other = parse_other(type.other)) return other;
  ErrorFacts facts;
  facts.value = type.other;
  raise(ErrorCode::log_damaged,
        "\"" + type.other + "\" is no type that this crv knows; a newer one may have written it", facts);
}

std::shared_ptr<arrow::Schema> to_arrow(const Columns& columns) {
  arrow::FieldVector fields;
  fields.reserve(columns.size());
  for (const Field& column : columns) fields.push_back(arrow::field(column.name, to_arrow(column.type)));
  return arrow::schema(std::move(fields));
}

Type from_arrow(const arrow::DataType& type, const std::string& path) {
  return convert(type, path, 1);
}

Columns from_arrow(const arrow::Schema& schema) {
  return convert_fields(schema.fields(), "", 1);
}

void rethrow(const arrow::Status& status) {
  check(status, ErrorCode::read_failed);
  raise(ErrorCode::read_failed, "There was nothing to rethrow.");
}

}  // namespace crv::io
