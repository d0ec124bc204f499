#include "io/conform/accepted.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <arrow/util/utf8.h>

#include "core/utf8.h"
#include "crv/core/definition.h"
#include "crv/core/shown.h"
#include "io/arrow/arrow_types.h"
#include "io/arrow/text_array.h"
#include "io/conform/normalize.h"
#include "io/part/part_file.h"

namespace crv::io {

namespace {

using Found = std::function<void(std::int64_t i, const char* why)>;
using Limits = std::pair<std::int64_t, std::int64_t>;  // both included

constexpr std::int64_t kMostBytes = std::numeric_limits<std::int32_t>::max();  // of a value in Parquet
constexpr const char* kTooLong = "this has 2 GiB or more, which Parquet cannot hold";
constexpr const char* kTooManyDigits = "this decimal has more digits than its type says";
constexpr const char* kNotUtf8 = "this text is not UTF-8";
constexpr const char* kNoDate = "this is beyond the years 1 to 9999";
constexpr const char* kNoMoment = "this is at or beyond the ends of 64 bits of nanoseconds";
constexpr const char* kNoTime = "this is no time of a day";

constexpr std::int64_t kFirstDay = -719162;  // 0001-01-01
constexpr std::int64_t kLastDay = 2932896;   // 9999-12-31
constexpr std::int64_t kSecondsOfDay = 86400;

// of findings about parts that an older writer made
constexpr std::string_view kNotTaken = "it holds values of the type ";

std::int64_t units_of_second(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      break;
  }
  return 1'000'000'000;
}

// What Python's datetime holds, whatever the zone that it is shown in; of nanoseconds all but the ends, which
// pandas takes for NaT and DuckDB for infinities.
Limits limits_of(const arrow::TimestampType& type) {
  const std::int64_t second = units_of_second(type.unit());
  const std::int64_t margin = type.timezone().empty() ? 0 : kSecondsOfDay * second;
  if (type.unit() == arrow::TimeUnit::NANO) {
    constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max() - 1;
    return {-kEnd + margin, kEnd - margin};
  }
  const std::int64_t day = kSecondsOfDay * second;
  return {kFirstDay * day + margin, (kLastDay + 1) * day - 1 - margin};
}

template <class Value>
void find_beyond(const arrow::Array& values, Limits limits, const char* why, const Found& found) {
  const auto* data = values.data()->GetValues<Value>(1);
  const auto lowest = static_cast<Value>(limits.first), highest = static_cast<Value>(limits.second);
  const auto beyond = [&](Value value) { return value < lowest || value > highest; };
  bool any = false;
  for (std::int64_t i = 0; i < values.length(); ++i) any |= beyond(data[i]);
  for (std::int64_t i = 0; any && i < values.length(); ++i)
    if (beyond(data[i]) && values.IsValid(i)) found(i, why);
}

bool begins_inside(std::string_view text) {
  return !text.empty() && (static_cast<unsigned char>(text[0]) & 0xC0U) == 0x80U;
}

// Of many texts at once, quickly.
bool is_valid(std::string_view texts) {
  static const bool ready = (arrow::util::InitializeUTF8(), true);
  return ready && arrow::util::ValidateUTF8(texts);
}

// Whether all texts are UTF-8, seen at one go; false where one must look closer.
template <class Texts>
bool all_utf8(const Texts& texts) {
  if constexpr (requires { texts.raw_value_offsets(); }) {
    if (texts.length() == 0) return true;
    const auto first = texts.value_offset(0), last = texts.value_offset(texts.length());
    if (first >= last) return first == last;
    const char* const data = reinterpret_cast<const char*>(texts.raw_data());
    if (!is_valid({data + first, static_cast<std::size_t>(last - first)})) return false;
    bool whole = true;  // no text begins inside a character
    const auto* offsets = texts.raw_value_offsets();
    for (std::int64_t i = 0; i < texts.length(); ++i) {
      const auto at = std::clamp(offsets[i], first, last - 1);
      whole &= at != offsets[i] || (static_cast<unsigned char>(data[at]) & 0xC0U) != 0x80U;
    }
    return whole;
  }
  return false;
}

// Parquet has no longer ones.
template <class Bytes>
void find_too_long(const arrow::Array& values, const Found& found) {
  const auto& bytes = static_cast<const Bytes&>(values);
  if (bytes.total_values_length() <= kMostBytes) return;
  for (std::int64_t i = 0; i < bytes.length(); ++i)
    if (!bytes.IsNull(i) && bytes.value_length(i) > kMostBytes) found(i, kTooLong);
}

// From a foreign writer: a number of more digits than its type says, which a part would cut off.
void find_too_many_digits(const arrow::Array& values, const Found& found) {
  const auto& decimals = static_cast<const arrow::Decimal128Array&>(values);
  const std::int32_t digits = static_cast<const arrow::DecimalType&>(*values.type()).precision();
  for (std::int64_t i = 0; i < decimals.length(); ++i)
    if (!decimals.IsNull(i) && !arrow::Decimal128(decimals.GetValue(i)).FitsInPrecision(digits))
      found(i, kTooManyDigits);
}

void find_not_utf8(const arrow::Array& values, const Found& found) {
  with_text(values, [&](const auto& texts) {
    if (all_utf8(texts)) return;
    for (std::int64_t i = 0; i < texts.length(); ++i) {
      if (texts.IsNull(i)) continue;
      const std::string_view text = texts.GetView(i);
      if (begins_inside(text) || !is_utf8(text)) found(i, kNotUtf8);
    }
  });
}

std::string folded(std::string_view name) {
  std::string text(name);
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool may_be_unreadable(const Type& type) {
  if (type.kind == Type::Kind::str) return true;
  if (type.kind == Type::Kind::other) return type.other.starts_with("time") || type.other == "date32[day]";
  return std::ranges::any_of(type.fields, [](const Field& field) { return may_be_unreadable(field.type); });
}

// What there is below a column of a part.
class PartColumn {
 public:
  PartColumn(std::vector<Unreadable>& found, const std::string& name) : found_(found), name_(name) {}

  void check(const Type& type) { check(type, name_, 1); }
  void check(const arrow::Array& values) { check(values, name_); }

 private:
  void add(const std::string& path, const std::string& why, bool text = false) {
    const Unreadable found{as_utf8(path), as_utf8(why), text};
    const auto same = [&](const Unreadable& one) { return one.path == found.path && one.why == found.why; };
    if (std::ranges::none_of(found_, same)) found_.push_back(found);
  }

  void check_name(const std::string& path, const std::string& name) {
    if (name == kEmptyField) return;
    if (const std::string why = why_no_name(name); !why.empty()) add(path, why);
  }

  void check(const Type& type, const std::string& path, int depth) {
    if (depth == 1) check_name(path, name_);
    if (depth == kMaxAcceptedDepth + 1)
      return add(path, "nested deeper than " + std::to_string(kMaxAcceptedDepth) + " levels");
    if (type.kind == Type::Kind::other) {
      const std::string why = why_no_type(*to_arrow(type));
      if (!why.empty()) add(path, std::string(kNotTaken) + type.other + ": " + why);
    }
    for (const Field& field : type.fields) {
      if (type.kind == Type::Kind::list) {
        check(field.type, path + "[]", depth + 1);
      } else {
        check_name(path + "." + field.name, field.name);
        check(field.type, path + "." + field.name, depth + 1);
      }
    }
  }

  void check(const arrow::Array& values, const std::string& path) {
    switch (values.type_id()) {
      case arrow::Type::STRUCT: {
        const auto& structs = static_cast<const arrow::StructArray&>(values);
        const arrow::ArrayVector fields = io::check(structs.Flatten(), ErrorCode::part_damaged);
        for (std::size_t i = 0; i < fields.size(); ++i)
          check(*fields[i], path + "." + structs.type()->field(static_cast<int>(i))->name());
        return;
      }
      case arrow::Type::DICTIONARY:
        return check(*static_cast<const arrow::DictionaryArray&>(values).dictionary(), path);
      case arrow::Type::LIST:
      case arrow::Type::MAP:
        return check(
            *io::check(static_cast<const arrow::ListArray&>(values).Flatten(), ErrorCode::part_damaged),
            path + "[]");
      case arrow::Type::LARGE_LIST:
        return check(
            *io::check(static_cast<const arrow::LargeListArray&>(values).Flatten(), ErrorCode::part_damaged),
            path + "[]");
      case arrow::Type::FIXED_SIZE_LIST:
        return check(*io::check(static_cast<const arrow::FixedSizeListArray&>(values).Flatten(),
                                ErrorCode::part_damaged),
                     path + "[]");
      default:
        find_unreadable(values, [&](std::int64_t, const char* why) {
          add(path, std::string("it holds a value that not every engine reads: ") + why, why == kNotUtf8);
        });
    }
  }

  std::vector<Unreadable>& found_;
  const std::string& name_;
};

}  // namespace

std::string why_no_name(std::string_view name) {
  return core::why_no_column_name(name);
}

bool is_utc_offset(std::string_view zone) {
  const auto digits = [&](std::size_t at) {
    return zone[at] >= '0' && zone[at] <= '9' && zone[at + 1] >= '0' && zone[at + 1] <= '9';
  };
  return zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && digits(1) && zone[3] == ':' && digits(4);
}

std::string why_no_type(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DURATION:
      return "a part holds a duration as an integer without its unit, and so DuckDB reads it; give a number";
    case arrow::Type::DECIMAL256:
      if (static_cast<const arrow::DecimalType&>(type).precision() <= arrow::Decimal128Type::kMaxPrecision)
        return "";
      return "no engine but Arrow knows decimals of more than 38 digits; give a narrower decimal, or text";
    case arrow::Type::FIXED_SIZE_LIST:
      if (static_cast<const arrow::FixedSizeListType&>(type).list_size() > 0) return "";
      return "a list of a fixed size of 0 holds nothing; give a list";
    case arrow::Type::TIMESTAMP: {
      const std::string& zone = static_cast<const arrow::TimestampType&>(type).timezone();
      if (zone.empty() || is_time_zone(zone)) return "";
      return "the time zone \"" + zone +
             "\" is none of the IANA time zone database, so not every engine knows it; convert the column to "
             "UTC";
    }
    default:
      return "";
  }
}

namespace {

Type accepted_type(const core::TableDescriptor& table, const core::ColumnDescriptor& column, Type type) {
  for (Field& field : type.fields) field.type = accepted_type(table, column, std::move(field.type));
  if (type.kind != Type::Kind::other) return type;
  std::string why;
  try {
    const std::shared_ptr<arrow::DataType> arrow = to_arrow(type);
    why = why_no_type(*arrow);
    if (why.empty()) return from_arrow(*arrow, column.name);
  } catch (const Error&) {
    why =
        "crv knows no such type; there are i64, f64, str, bool, timestamp, date32[day], binary, list[...], "
        "struct{name: ...} and a few more (docs/format.md, What is accepted)";
  }
  raise(ErrorCode::bad_definition,
        "Table \"" + table.name + "\", column \"" + printable(shortened(column.name)) + "\", type " +
            shortened(type.other) + ": " + why + ".",
        {.table = table.name, .column = column.name, .key = "type", .value = type.other});
}

}  // namespace

core::TableDescriptor accepted_table(core::TableDescriptor table) {
  for (core::ColumnDescriptor& column : table.columns)
    column.type = accepted_type(table, column, std::move(column.type));
  return core::define_table(std::move(table));
}

std::optional<NameClash> find_name_clash(const Columns& offered, const Columns& held) {
  std::unordered_map<std::string, std::string_view> seen;  // names by what is left of them without case
  std::unordered_set<std::string_view> known;
  for (const Field& column : held) {
    seen.emplace(folded(column.name), column.name);
    known.insert(column.name);
  }
  for (const Field& column : offered) {
    if (known.contains(column.name)) continue;
    const auto [other, first] = seen.emplace(folded(column.name), column.name);
    if (!first) return NameClash{column.name, std::string(other->second)};
  }
  return std::nullopt;
}

void find_unreadable(const arrow::Array& values, const Found& found) {
  switch (values.type_id()) {
    case arrow::Type::LARGE_STRING:
      find_too_long<arrow::LargeStringArray>(values, found);
      return find_not_utf8(values, found);
    case arrow::Type::STRING:
    case arrow::Type::STRING_VIEW:
      return find_not_utf8(values, found);
    case arrow::Type::LARGE_BINARY:
      return find_too_long<arrow::LargeBinaryArray>(values, found);
    case arrow::Type::DECIMAL128:
      return find_too_many_digits(values, found);
    case arrow::Type::DATE32:
      return find_beyond<std::int32_t>(values, {kFirstDay, kLastDay}, kNoDate, found);
    case arrow::Type::TIME32:
    case arrow::Type::TIME64: {
      const auto unit = static_cast<const arrow::TimeType&>(*values.type()).unit();
      const Limits limits{0, kSecondsOfDay * units_of_second(unit) - 1};
      if (values.type_id() == arrow::Type::TIME32)
        return find_beyond<std::int32_t>(values, limits, kNoTime, found);
      return find_beyond<std::int64_t>(values, limits, kNoTime, found);
    }
    case arrow::Type::TIMESTAMP: {
      const auto& type = static_cast<const arrow::TimestampType&>(*values.type());
      const bool nanoseconds = type.unit() == arrow::TimeUnit::NANO;
      return find_beyond<std::int64_t>(values, limits_of(type), nanoseconds ? kNoMoment : kNoDate, found);
    }
    default:
      return;
  }
}

void check_readable(const arrow::Array& values, const Place& place, std::size_t chunk) {
  find_unreadable(values, [&](std::int64_t i, const char* why) {
    place.refuse_at(ErrorCode::wrong_type, values, chunk, i, why);
  });
}

std::vector<Unreadable> unreadable_in(Storage& storage, const std::string& path, bool values) {
  const PartFile part(storage, path);
  const Columns columns = part.stored_columns();
  std::vector<Unreadable> found;
  std::vector<int> leaves;
  for (const Field& column : columns) {
    PartColumn(found, column.name).check(column.type);
    if (!may_be_unreadable(column.type)) continue;
    const std::vector<int>& below = part.leaves(column.name);
    leaves.insert(leaves.end(), below.begin(), below.end());
  }
  if (const auto clash = find_name_clash(columns, {}))
    found.push_back(
        {clash->offered, "it differs from the column \"" + clash->other + "\" in case alone", false});
  for (int group = 0; values && !leaves.empty() && group < part.groups(); ++group) {
    if (part.rows_of(group) == 0) continue;
    const std::shared_ptr<arrow::Table> rows = part.read(group, leaves);
    for (int c = 0; c < rows->num_columns(); ++c)
      for (const auto& chunk : rows->column(c)->chunks())
        PartColumn(found, rows->schema()->field(c)->name()).check(*chunk);
  }
  return found;
}

std::optional<std::string> find_text_not_utf8(const arrow::RecordBatch& batch) {
  std::vector<Unreadable> found;
  for (int c = 0; c < batch.num_columns(); ++c)
    PartColumn(found, batch.schema()->field(c)->name()).check(*batch.column(c));
  const auto text = std::ranges::find(found, true, &Unreadable::text);
  return text == found.end() ? std::nullopt : std::optional(text->path);
}

Type readable_by_polars(const Type& type) {
  Type readable = type;
  for (Field& field : readable.fields) field.type = readable_by_polars(field.type);
  if (type.kind != Type::Kind::other) return readable;
  const std::shared_ptr<arrow::DataType> arrow = to_arrow(type);
  if (why_no_type(*arrow).empty()) return readable;
  if (arrow->id() == arrow::Type::TIMESTAMP) {
    const auto unit = static_cast<const arrow::TimestampType&>(*arrow).unit();
    readable.other = arrow::timestamp(unit, "UTC")->ToString();
  } else if (arrow->id() == arrow::Type::DECIMAL256) {
    readable = core::plain_type(Type::Kind::str);
  }
  return readable;
}

bool is_readable_by_polars(const Type& type) {
  if (type.kind == Type::Kind::other) return readable_by_polars(type) == type;
  return std::ranges::all_of(type.fields,
                             [](const Field& field) { return is_readable_by_polars(field.type); });
}

}  // namespace crv::io
