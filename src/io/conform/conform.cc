#include "io/conform/conform.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/chunked_array.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "crv/core/suggest.h"
#include "crv/io/json_rows.h"
#include "io/arrow/arrow_types.h"
#include "io/arrow/place.h"
#include "io/conform/accepted.h"
#include "io/conform/cast.h"
#include "io/conform/normalize.h"
#include "io/conform/own_columns.h"
#include "io/conform/split.h"
#include "io/rules/broken_rules.h"
#include "io/rules/quarantine.h"
#include "io/rules/row_rules.h"
#include "io/schema/declared.h"

namespace crv::io {

namespace {

using core::plain_type;
using Kind = Type::Kind;
using ChunkedPtr = std::shared_ptr<arrow::ChunkedArray>;

constexpr const char* kTick = "tick";
constexpr const char* kBucket = "bucket";

class Conformer {
 public:
  Conformer(const arrow::Table& frame, const core::TableDescriptor& descriptor, const Columns& held,
            const ConformOptions& options)
      : frame_(frame),
        descriptor_(descriptor),
        held_(held),
        options_(options),
        own_(!core::find_stored_table(descriptor.name)),
        declared_(declared_types(descriptor)) {}

  Conformed run() {
    check(frame_.Validate(), ErrorCode::wrong_type, facts_of(""));
    check_names();
    if (frame_.num_rows() > 0) check_missing();
    for (const core::ColumnDescriptor& column : descriptor_.columns)
      if (column.name == kBucket)
        take_ticks();
      else if (const ChunkedPtr given = column_of_frame(column.name))
        add(column, *given);
    add_extra_columns();
    if (options_.validate_rows) note_repeated();
    Conformed result;
    result.table =
        arrow::Table::Make(arrow::schema(std::move(fields_)), std::move(values_), frame_.num_rows());
    if (options_.validate_rows) {
      CheckedRows checked = check_rows(result.table, descriptor_, options_.quarantine, options_.threads);
      BrokenRules broken = in_order(std::move(checked.broken));
      if (!broken.empty()) return without_broken_rows(broken);
      result.table = std::move(checked.table);
    }
    result.columns = std::move(columns_);
    if (!ticks_) return result;  // a frame without rows
    const BucketColumn buckets = buckets_of(*ticks_, options_.tick_bucket_size);
    result.columns.insert(result.columns.begin(), {kBucket, plain_type(Kind::i64)});
    result.table = check(result.table->AddColumn(0, arrow::field(kBucket, arrow::int64()), buckets.values),
                         ErrorCode::wrong_type);
    result.buckets = split_by_bucket(result.table, buckets, options_.threads);
    return result;
  }

 private:
  ErrorFacts facts_of(const std::string& column) const {
    ErrorFacts facts;
    facts.table = descriptor_.name;
    facts.column = column;
    return facts;
  }

  [[noreturn]] void fail(ErrorCode code, const std::string& column, const std::string& why) const {
    Place(descriptor_.name, column, arrow::ChunkedArray(arrow::ArrayVector{}, arrow::null())).fail(code, why);
  }

  std::vector<std::string> column_names() const {
    std::vector<std::string> names;
    for (const core::ColumnDescriptor& column : descriptor_.columns) names.push_back(column.name);
    return names;
  }

  void check_names() const {
    std::set<std::string_view> names;
    for (const auto& field : frame_.schema()->fields()) {
      const std::string& name = field->name();
      if (!names.insert(name).second)
        fail(ErrorCode::duplicate_column, name, "the frame has two columns of this name");
      if (const std::string why = why_no_name(name); !why.empty()) fail(ErrorCode::reserved_name, name, why);
      if (options_.strict_schema && options_.validate_schema && !descriptor_.find(name)) {
        fail(ErrorCode::unknown_column, name,
             std::string("the table has no such column; drop it, or ") +
                 (own_ ? "append with create to define it" : "set strict_schema = false to keep it") +
                 did_you_mean(name, column_names()));
      }
    }
  }

  void check_missing() const {
    if (!frame_.GetColumnByName(kTick))
      fail(ErrorCode::missing_column, kTick, "the frame lacks this column, and every row needs its tick");
    if (!checks_nulls()) return;
    for (const core::ColumnDescriptor& column : descriptor_.columns) {
      if (!column.required || column.name == kBucket) continue;
      if (!frame_.GetColumnByName(column.name))
        fail(ErrorCode::missing_column, column.name, "the frame lacks this column, which the table requires");
    }
  }

  // With at least one chunk, so that the casts see the type. nullptr where there is no such column.
  ChunkedPtr column_of_frame(const std::string& name) const {
    ChunkedPtr column = frame_.GetColumnByName(name);
    if (!column || column->num_chunks() > 0) return column;
    return std::make_shared<arrow::ChunkedArray>(
        check(arrow::MakeEmptyArray(column->type()), ErrorCode::wrong_type, facts_of(name)));
  }

  const Type* held(const std::string& column) const {
    const auto found = std::ranges::find(held_, column, &Field::name);
    return found == held_.end() ? nullptr : &found->type;
  }

  void put(const std::string& name, Type type, ChunkedPtr values) {
    columns_.push_back({name, std::move(type)});
    if (!values) return;
    fields_.push_back(arrow::field(name, values->type()));
    values_.push_back(std::move(values));
  }

  // A column that is required must be there and hold no null.
  bool checks_nulls() const { return options_.validate_schema || options_.validate_rows; }

  void take_ticks() {
    const ChunkedPtr given = column_of_frame(kTick);
    if (!given) return;
    Place place = place_of(kTick, *given);
    place.report_as(ErrorCode::bad_tick);
    if (options_.validate_rows) note_nulls(*given, *given, place, ErrorCode::bad_tick);
    ticks_ = cast(Kind::i64, *given, place);
    if (options_.validate_rows) return;  // the column rules look for negative ones
    for (int c = 0; c < ticks_->num_chunks(); ++c)
      check_ticks(*ticks_->chunk(c), place, static_cast<std::size_t>(c));
  }

  static void check_ticks(const arrow::Array& ticks, const Place& place, std::size_t chunk) {
    const auto* values = ticks.data()->GetValues<std::int64_t>(1);
    bool good = ticks.null_count() == 0;
    for (std::int64_t i = 0; i < ticks.length(); ++i) good &= values[i] >= 0;
    for (std::int64_t i = 0; !good && i < ticks.length(); ++i) {
      if (ticks.IsNull(i)) place.fail_at(ErrorCode::bad_tick, ticks, chunk, i, "a tick must not be null");
      if (values[i] < 0) place.fail_at(ErrorCode::bad_tick, ticks, chunk, i, "a tick must not be negative");
    }
  }

  void add(const core::ColumnDescriptor& column, const arrow::ChunkedArray& given) {
    if (column.name == kTick) return put(kTick, plain_type(Kind::i64), ticks_);
    const Place place = place_of(column.name, given);
    const bool no_null = column.required && checks_nulls();
    if (column.type.kind == Kind::str && !column.inferred) {
      ChunkedPtr texts = cast(Kind::str, given, place);
      if (no_null) require_no_null(*texts, given, place);  // a NaN has become one
      return put(column.name, column.type, std::move(texts));
    }
    if (no_null) require_no_null(given, given, place);
    if (column.type.kind == Kind::i64 || column.type.kind == Kind::f64)
      if (!column.inferred) return add_number(column, given, place);
    if (own_) return add_own(column, given, place);
    add_nested(column, given, place);
  }

  // The i64 columns of the canonical tables never become f64, so nobody needs to know how large they are.
  void add_number(const core::ColumnDescriptor& column, const arrow::ChunkedArray& given,
                  const Place& place) {
    ChunkedPtr numbers = cast(column.type.kind, given, place);
    Type type = column.type;
    type.exact =
        own_ && type.kind == Kind::i64 &&
        std::ranges::any_of(numbers->chunks(), [](const auto& chunk) { return holds_exact(*chunk); });
    put(column.name, std::move(type), std::move(numbers));
  }

  void add_own(const core::ColumnDescriptor& column, const arrow::ChunkedArray& given, const Place& place) {
    Normalized result = conform_declared(column, given, place, held(column.name));
    if (result.values) check_lengths(column, *result.values, place);
    put(column.name, std::move(result.type), std::move(result.values));
  }

  // `given`: what the caller has where a null stands in `values`.
  void require_no_null(const arrow::ChunkedArray& values, const arrow::ChunkedArray& given,
                       const Place& place) {
    if (options_.validate_rows) return note_nulls(values, given, place, ErrorCode::null_value);
    for_each_null(values, [&](std::size_t chunk, std::int64_t i) {
      place.fail_at(ErrorCode::null_value, *given.chunk(static_cast<int>(chunk)), chunk, i,
                    "this column must not hold a null");
    });
  }

  template <class Then>
  static void for_each_null(const arrow::ChunkedArray& given, const Then& then) {
    for (int c = 0; c < given.num_chunks(); ++c) {
      const arrow::Array& chunk = *given.chunk(c);
      if (chunk.ComputeLogicalNullCount() == 0) continue;
      for (std::int64_t i = 0; i < chunk.length(); ++i)
        if (is_null(chunk, i)) then(static_cast<std::size_t>(c), i);
    }
  }

  // ---- with validate_rows: what is wrong with single rows is noted, and told or taken out at the end ----

  Place place_of(const std::string& column, const arrow::ChunkedArray& given) const {
    Place place(descriptor_.name, column, given);
    if (options_.validate_rows) place.tell(note_refused_);
    return place;
  }

  void note_nulls(const arrow::ChunkedArray& values, const arrow::ChunkedArray& given, const Place& place,
                  ErrorCode code) {
    const std::string why = "must not be null";
    for_each_null(values, [&](std::size_t chunk, std::int64_t i) {
      note("column.required", {code, place.path(), place.row_of(chunk, i), why, [&] {
                                 return text_of(cell_to_json(*given.chunk(static_cast<int>(chunk)), i));
                               }});
    });
  }

  void note_repeated() {
    for (const core::ColumnDescriptor& column : descriptor_.columns) {
      const auto at =
          std::ranges::find(fields_, column.name, [](const auto& field) { return field->name(); });
      if (!column.rule.unique || at == fields_.end()) continue;
      const ChunkedPtr& values = values_[static_cast<std::size_t>(at - fields_.begin())];
      const Place place = place_of(column.name, *values);
      const std::string why = "must not stand twice";
      find_repeated(*values, [&](std::size_t chunk, std::int64_t i) {
        note("column.unique", {ErrorCode::row_rule, place.path(), place.row_of(chunk, i), why, [&] {
                                 return text_of(cell_to_json(*values->chunk(static_cast<int>(chunk)), i));
                               }});
      });
    }
  }

  void note(const std::string& rule, const Place::Refused& value) {
    auto found = std::ranges::find_if(broken_, [&](const BrokenRule& known) {
      return known.rule == rule && known.column == value.path && known.reason == value.why;
    });
    if (found == broken_.end()) {
      broken_.emplace_back();
      found = std::prev(broken_.end());
      found->code = value.code;
      found->rule = rule;
      found->column = value.path;
      found->reason = value.why;
    }
    const std::int64_t before = found->count;
    found->add(value.row, options_.quarantine);
    if (found->count > before && found->values.size() < kShownRows) found->values.push_back(value.value());
  }

  // What was noted and what the rules found, by column; rules across columns come last.
  BrokenRules in_order(BrokenRules rules) {
    for (BrokenRule& rule : rules) {
      if (rule.column == kTick) rule.code = ErrorCode::bad_tick;
      broken_.push_back(std::move(rule));
    }
    std::ranges::stable_sort(broken_, {}, [&](const BrokenRule& rule) {
      const auto column =
          std::ranges::find(descriptor_.columns, rule.column.substr(0, rule.column.find_first_of(".[")),
                            &core::ColumnDescriptor::name);
      const bool spans = rule.rule == "model.needs";
      return std::pair(spans, column - descriptor_.columns.begin());
    });
    return std::move(broken_);
  }

  Conformed without_broken_rows(const BrokenRules& broken) const {
    if (!options_.quarantine) raise_broken(descriptor_.name, broken);
    const SortedRows rows = sort_rows(frame_, *ticks_, broken, descriptor_.name, options_.threads);
    ConformOptions options = options_;
    options.quarantine = false;
    Conformed result = Conformer(*rows.good, descriptor_, held_, options).run();
    result.rejected = rows.bad;
    return result;
  }

  // A dictionary holds a null in its indices or in the value that an index means.
  static bool is_null(const arrow::Array& array, std::int64_t i) {
    if (array.IsNull(i) || array.type_id() != arrow::Type::DICTIONARY) return array.IsNull(i);
    const auto& encoded = static_cast<const arrow::DictionaryArray&>(array);
    return encoded.dictionary()->IsNull(encoded.GetValueIndex(i));
  }

  static bool all_null(const arrow::ChunkedArray& values) {
    return values.type()->id() == arrow::Type::NA ||
           (values.length() > 0 && values.null_count() == values.length());
  }

  // A scalar column. Nulls of any type are nulls of the column's type.
  static ChunkedPtr cast(Kind kind, const arrow::ChunkedArray& given, const Place& place) {
    arrow::ArrayVector chunks;
    const bool nulls = all_null(given);
    std::shared_ptr<arrow::DataType> type = to_arrow(plain_type(kind));
    for (int c = 0; c < given.num_chunks(); ++c) {
      const std::shared_ptr<arrow::Array>& chunk = given.chunk(c);
      const auto at = static_cast<std::size_t>(c);
      if (nulls) {
        chunks.push_back(
            check(arrow::MakeArrayOfNull(type, chunk->length()), ErrorCode::wrong_type, place.facts()));
      } else if (kind == Kind::i64) {
        chunks.push_back(cast_to_i64(chunk, place, at));
      } else if (kind == Kind::f64) {
        chunks.push_back(cast_to_f64(chunk, place, at));
      } else {
        chunks.push_back(cast_to_text(chunk, place, at));
        check_readable(*chunks.back(), place, at);
      }
    }
    if (!chunks.empty()) type = chunks[0]->type();
    return std::make_shared<arrow::ChunkedArray>(std::move(chunks), std::move(type));
  }

  void add_nested(const core::ColumnDescriptor& column, const arrow::ChunkedArray& given,
                  const Place& place) {
    const Type* known = held(column.name);
    const arrow::DataType& type = *given.type();
    if (all_null(given)) {
      const arrow::ChunkedArray nulls(std::make_shared<arrow::NullArray>(given.length()));
      Normalized result = normalize(nulls, place, known);
      return put(column.name, std::move(result.type), std::move(result.values));
    }
    const bool fits =
        column.type.kind == Kind::structure ? type.id() == arrow::Type::STRUCT : is_list_of_structs(type);
    if (!fits) {
      place.fail(ErrorCode::wrong_type, "this column holds " + text_of(column.type) +
                                            " and takes no values of the type " + type.ToString());
    }
    Normalized result = normalize(given, place, known, field_of(&declared_, column.name));
    if (column.type.kind == Kind::list) know_elements(result.type);
    put(column.name, std::move(result.type), std::move(result.values));
  }

  // Of a list without an element: that they are structs is known all the same.
  static void know_elements(Type& list) {
    if (list.kind == Type::Kind::list && list.fields.at(0).type.kind == Type::Kind::null)
      list.fields.at(0).type = struct_of({});
  }

  static bool is_list_of_structs(const arrow::DataType& type) {
    switch (type.id()) {
      case arrow::Type::LIST:
      case arrow::Type::LARGE_LIST:
      case arrow::Type::FIXED_SIZE_LIST:
      case arrow::Type::LIST_VIEW:
      case arrow::Type::LARGE_LIST_VIEW:
        break;
      default:
        return false;
    }
    const auto element = type.field(0)->type()->id();
    return element == arrow::Type::STRUCT || element == arrow::Type::NA;
  }

  void add_extra_columns() {
    for (int i = 0; i < frame_.num_columns(); ++i) {
      const std::string& name = frame_.schema()->field(i)->name();
      if (descriptor_.find(name)) continue;
      const arrow::ChunkedArray& given = *frame_.column(i);
      Normalized result = normalize(given, place_of(name, given), held(name));
      put(name, std::move(result.type), std::move(result.values));
    }
    Columns all = held_;  // a descriptor's column may not have been given yet
    for (const core::ColumnDescriptor& column : descriptor_.columns)
      if (!held(column.name)) all.push_back({column.name, Type()});
    if (const auto clash = find_name_clash(columns_, all)) {
      fail(ErrorCode::reserved_name, clash->offered,
           "the name differs from that of the column \"" + clash->other +
               "\" only in case, and DuckDB takes them for one; rename this column");
    }
  }

  const arrow::Table& frame_;
  const core::TableDescriptor& descriptor_;
  const Columns& held_;
  const ConformOptions& options_;
  const bool own_;  // a table of the user's own
  const Type declared_;

  BrokenRules broken_;
  Place::Listener note_refused_ = [this](const Place::Refused& value) { note("column.type", value); };
  ChunkedPtr ticks_;
  Columns columns_;
  arrow::FieldVector fields_;
  std::vector<ChunkedPtr> values_;
};

}  // namespace

Conformed conform(const arrow::Table& frame, const core::TableDescriptor& descriptor, const Columns& held,
                  const ConformOptions& options) {
  if (options.tick_bucket_size <= 0) {
    raise(ErrorCode::bad_argument,
          "tick_bucket_size must be above 0, not " + std::to_string(options.tick_bucket_size));
  }
  ensure_compute();
  return Conformer(frame, descriptor, held, options).run();
}

}  // namespace crv::io
