#include "io/row_rules.h"

#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "crv/core/error.h"
#include "crv/core/rows.h"
#include "crv/core/rules.h"
#include "crv/io/json_rows.h"
#include "io/arrow_types.h"

namespace crv::io {

namespace {

[[noreturn]] void break_rule(std::string_view table, std::string_view column, std::int64_t row,
                             const std::string& value, const std::string& why) {
  ErrorFacts facts;
  facts.table = table;
  facts.column = column;
  facts.row = row;
  facts.value = value;
  raise(ErrorCode::row_rule,
        "table \"" + facts.table + "\", column \"" + facts.column + "\", row " + std::to_string(row) + ": " +
            why,
        facts);
}

// Takes a cell into a member; false where it has another type. Columns are conformed, so that only what a
// list holds can still be of another type.
bool take(Json&& cell, Json& member) {
  member = std::move(cell);
  return true;
}
bool take(Json&& cell, bool& member) {
  const auto* number = cell.get_if<std::int64_t>();
  if (number == nullptr || (*number != 0 && *number != 1)) return false;
  member = *number == 1;
  return true;
}
bool take(Json&& cell, std::vector<JsonObject>& member) {
  auto* array = cell.get_if<JsonArray>();
  if (array == nullptr) return false;
  for (Json& element : *array) {
    auto* object = element.get_if<JsonObject>();
    if (object == nullptr) return false;
    member.push_back(std::move(*object));
  }
  return true;
}
template <class T>
bool take(Json&& cell, T& member) {
  auto* value = cell.get_if<T>();
  if (value == nullptr) return false;
  member = std::move(*value);
  return true;
}
template <class T>
bool take(Json&& cell, std::optional<T>& member) {
  return take(std::move(cell), member.emplace());
}

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

// Text that validate() brings into its normal form, gathered over all rows.
struct Rewritten {
  std::string column;
  arrow::StringBuilder texts;
  bool changed = false;
};

std::optional<std::string> text_in(const std::string& member) {
  return member;
}
std::optional<std::string> text_in(const std::optional<std::string>& member) {
  return member;
}
template <class T>
std::optional<std::string> text_in(const T&) {
  return std::nullopt;
}

template <class Row>
class Rules {
 public:
  explicit Rules(const arrow::Table& table) : table_(table) {
    const core::ModelRules* rules = core::find_model_rules(Row::model);
    if (rules == nullptr) return;
    for (const core::FieldRule& rule : rules->fields) {
      if (rule.fold && table.GetColumnByName(rule.field) != nullptr) {
        rewritten_.emplace_back();
        rewritten_.back().column = rule.field;
      }
    }
  }

  void run() {
    std::int64_t first = 0;
    for (const auto& batch :
         check(arrow::TableBatchReader(table_).ToRecordBatches(), ErrorCode::wrong_type)) {
      for (std::int64_t i = 0; i < batch->num_rows(); ++i) check_row(*batch, i, first + i);
      first += batch->num_rows();
    }
  }

  std::shared_ptr<arrow::Table> result(const std::shared_ptr<arrow::Table>& table) {
    std::shared_ptr<arrow::Table> changed = table;
    for (Rewritten& column : rewritten_) {
      if (!column.changed) continue;
      const auto values =
          std::make_shared<arrow::ChunkedArray>(check(column.texts.Finish(), ErrorCode::wrong_type));
      const int at = table->schema()->GetFieldIndex(column.column);
      changed = check(changed->SetColumn(at, arrow::field(column.column, values->type()), values),
                      ErrorCode::wrong_type);
    }
    return changed;
  }

 private:
  void check_row(const arrow::RecordBatch& batch, std::int64_t index, std::int64_t row) {
    Row model;
    std::apply([&](const auto&... field) { (fill(model, field, batch, index, row), ...); }, Row::fields());
    const Row given = model;
    try {
      core::validate(model);
    } catch (const Error& error) {
      break_rule(Row::table, error.facts().column, row, error.facts().value, error.what());
    }
    core::for_each_field(model,
                         [&](std::string_view name, const auto& member) { keep(name, text_in(member)); });
    note_changes(given, model);
  }

  template <class Member>
  void fill(Row& model, const core::Field<Row, Member>& field, const arrow::RecordBatch& batch,
            std::int64_t index, std::int64_t row) {
    const auto column = batch.GetColumnByName(std::string(field.name));
    if (column == nullptr || column->IsNull(index)) {
      if (field.required && !IsOptional<Member>::value) {
        break_rule(Row::table, field.name, row, "null", "a value is required here");
      }
      return;
    }
    Json cell = cell_to_json(*column, index);
    if (!take(Json(cell), model.*field.member)) {
      break_rule(Row::table, field.name, row, write_json(cell),
                 "the row model does not allow this value here");
    }
  }

  void keep(std::string_view name, const std::optional<std::string>& text) {
    for (Rewritten& column : rewritten_) {
      if (column.column != name) continue;
      check(text ? column.texts.Append(*text) : column.texts.AppendNull(), ErrorCode::wrong_type);
    }
  }

  void note_changes(const Row& before, const Row& after) {
    const auto compare = [&](const auto& field) {
      for (Rewritten& column : rewritten_) {
        if (column.column == field.name && !(before.*field.member == after.*field.member))
          column.changed = true;
      }
    };
    std::apply([&](const auto&... field) { (compare(field), ...); }, Row::fields());
  }

  const arrow::Table& table_;
  std::vector<Rewritten> rewritten_;
};

template <class Row>
std::shared_ptr<arrow::Table> apply(const std::shared_ptr<arrow::Table>& table) {
  Rules<Row> rules(*table);
  rules.run();
  return rules.result(table);
}

}  // namespace

std::shared_ptr<arrow::Table> apply_row_rules(const std::shared_ptr<arrow::Table>& table,
                                              const core::TableDescriptor& descriptor) {
#define CRV_APPLY(Row) \
  if (descriptor.name == core::Row::table) return apply<core::Row>(table);
  CRV_TABLE_ROWS(CRV_APPLY)
#undef CRV_APPLY
  return table;
}

}  // namespace crv::io
