#include "io/rules/row_rules.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "core/text.h"
#include "crv/core/grammar.h"
#include "crv/core/rows.h"
#include "crv/core/rules.h"
#include "crv/io/json_rows.h"
#include "io/arrow/arrow_types.h"
#include "io/arrow/place.h"
#include "io/arrow/text_array.h"
#include "io/base/parallel.h"
#include "io/rules/cell_checks.h"
#include "io/rules/elements.h"
#include "io/rules/lower_case.h"

namespace crv::io {

namespace {

constexpr std::int64_t kBatchRows = 131072;  // worth a thread of its own

// What one batch of rows gave: by rule, and by column of the table.
struct BatchFindings {
  std::vector<BrokenRule> rules;
  std::vector<bool> folds;
  std::vector<std::uint8_t> kinds;  // of each row, the word in the column that needs go by
};

// A batch on its way through the checks.
struct Batch {
  const arrow::RecordBatch& rows;
  std::int64_t first_row;
  bool keep_all;
  BatchFindings& findings;

  Found found(std::size_t rule) const {
    return [this, rule](std::int64_t row) { findings.rules[rule].add(first_row + row, keep_all); };
  }
};

std::string one_of(const std::vector<std::string>& words) {
  return "must be one of " + core::join(words);
}

std::string range(std::optional<double> min, std::optional<double> max) {
  const auto text = [](double bound) {
    const std::string digits = format_double(bound);
    return digits.ends_with(".0") ? digits.substr(0, digits.size() - 2) : digits;
  };
  if (min && max) return "must be at least " + text(*min) + " and at most " + text(*max);
  return min ? "must be at least " + text(*min) : "must be at most " + text(*max);
}

// All that a path must satisfy: `model` of a struct of rows.h, `column` besides.
struct PathRules {
  std::string path;
  const core::FieldRule* model = nullptr;
  const core::ColumnRule* column = nullptr;
  std::string model_set = "model.";  // what its rules are called; those of elements are column rules
};

bool holds_structs(const core::Type& type) {
  using Kind = core::Type::Kind;
  return type.kind == Kind::list && type.fields.front().type.kind == Kind::structure;
}

using Check = std::function<void(const Batch&)>;
using CellsOf = std::function<void(const Batch&, const std::function<void(const Cells&)>&)>;

// The checks of a table, made once for all batches.
class Checks {
 public:
  Checks(const arrow::Schema& schema, const core::TableDescriptor& descriptor)
      : schema_(schema), model_(core::find_table_rules(descriptor.name)) {
    for (const core::ColumnDescriptor& column : descriptor.columns) {
      const int at = schema.GetFieldIndex(column.name);
      if (at >= 0) add_column(column, at);
    }
    if (model_ && !model_->needs_by.empty()) add_needs();
  }

  BatchFindings run(const arrow::RecordBatch& rows, std::int64_t first_row, bool keep_all) const {
    BatchFindings findings{rules_, std::vector<bool>(static_cast<std::size_t>(rows.num_columns())), {}};
    if (model_ && !model_->needs_by.empty())
      findings.kinds.assign(static_cast<std::size_t>(rows.num_rows()), kNoWord);
    const Batch batch{rows, first_row, keep_all, findings};
    for (const Check& check : checks_) check(batch);
    return findings;
  }

  const std::vector<BrokenRule>& rules() const { return rules_; }
  // Where the value that a rule is about stands: a column, and the field of a struct in it or "".
  std::pair<int, std::string> value_of(std::size_t rule) const { return values_[rule]; }

 private:
  std::size_t add_rule(std::string rule, std::string path, std::string reason, int column,
                       std::string field = "") {
    BrokenRule made;
    made.rule = std::move(rule);
    made.column = std::move(path);
    made.reason = std::move(reason);
    rules_.push_back(std::move(made));
    values_.emplace_back(column, std::move(field));
    return rules_.size() - 1;
  }

  void add_column(const core::ColumnDescriptor& column, int at) {
    const PathRules rules{column.name, model_ == nullptr ? nullptr : model_->find(column.name), &column.rule};
    const CellsOf cells = [at](const Batch& batch, const auto& then) { then({*batch.rows.column(at)}); };
    const arrow::DataType& type = *schema_.field(at)->type();
    if (is_text(type)) add_text(rules, at, cells);
    if (type.id() == arrow::Type::INT64 || type.id() == arrow::Type::DOUBLE) add_number(rules, at, cells);
    if (column.type.kind == core::Type::Kind::structure && rules.model && rules.model->numbers)
      add_numbers(column.name, at);
    if (holds_structs(column.type)) add_elements(rules, at);
  }

  void add_text(const PathRules& rules, int at, const CellsOf& cells) {
    const std::vector<std::string> none;
    const auto& model = rules.model == nullptr ? none : rules.model->allowed;
    const auto& column = rules.column == nullptr ? none : rules.column->allowed;
    TextRules what{Words(model), Words(column)};
    what.fold = rules.model != nullptr && rules.model->fold;
    what.lower_snake = rules.model != nullptr && rules.model->lower_snake;
    what.not_empty = rules.column != nullptr && rules.column->not_empty;
    what.column_words_are_lower_snake = std::ranges::all_of(column, core::is_lower_snake);
    if (model.empty() && column.empty() && !what.lower_snake && !what.not_empty) return;
    const std::size_t not_model =
        add_rule(rules.model_set + "one_of", rules.path, model.empty() ? "" : one_of(model), at);
    const std::size_t not_snake = add_rule(rules.model_set + "lower_snake", rules.path,
                                           "must be lower_snake (a-z, 0-9, single underscores between)", at);
    const std::size_t not_column =
        add_rule("column.one_of", rules.path, column.empty() ? "" : one_of(column), at);
    const std::size_t empty = add_rule("column.not_empty", rules.path, "must not be empty", at);
    const bool tells_kinds = model_ != nullptr && rules.path == model_->needs_by;
    checks_.emplace_back([=, what = std::move(what)](const Batch& batch) {
      const TextFindings found{batch.found(not_model), batch.found(not_snake), batch.found(not_column),
                               batch.found(empty)};
      cells(batch, [&](const Cells& texts) {
        if (check_texts(texts, what, found, tells_kinds ? &batch.findings.kinds : nullptr))
          batch.findings.folds[static_cast<std::size_t>(at)] = true;
      });
    });
  }

  void add_number(const PathRules& rules, int at, const CellsOf& cells) {
    const auto bound = [&](std::optional<double> min, std::optional<double> max, const std::string& set) {
      if (!min && !max) return;
      const std::size_t rule = add_rule(set + "range", rules.path, range(min, max), at);
      checks_.emplace_back([=](const Batch& batch) {
        cells(batch, [&](const Cells& numbers) { find_out_of_range(numbers, min, max, batch.found(rule)); });
      });
    };
    if (rules.model) bound(rules.model->min, rules.model->max, rules.model_set);
    if (!rules.column) return;
    bound(rules.column->min, rules.column->max, "column.");
    if (!rules.column->finite) return;
    const std::size_t rule = add_rule("column.finite", rules.path, "must be a finite number", at);
    checks_.emplace_back([=](const Batch& batch) {
      cells(batch, [&](const Cells& numbers) { find_not_finite(numbers, batch.found(rule)); });
    });
  }

  void add_numbers(const std::string& name, int at) {
    const arrow::DataType& type = *schema_.field(at)->type();
    for (int i = 0; i < type.num_fields(); ++i) {
      const std::string& field = type.field(i)->name();
      const std::size_t rule = add_rule("model.numbers", name + "." + field, "must be a number", at, field);
      checks_.emplace_back([=](const Batch& batch) {
        const auto& structs = static_cast<const arrow::StructArray&>(*batch.rows.column(at));
        const auto values = structs.field(i);
        find_no_number({*values, {}, [&](std::int64_t row) { return structs.IsValid(row); }},
                       batch.found(rule));
      });
    }
  }

  // ---- lists of structs ----

  // Rules of what `field` holds in each element. Field -1: the elements themselves.
  static CellsOf elements_of(int at, int field) {
    return [=](const Batch& batch, const auto& then) { with_elements(*batch.rows.column(at), field, then); };
  }

  void add_elements(const PathRules& rules, int at) {
    const std::string path = rules.path + "[]";
    const std::size_t null = add_rule("model.struct", path, "must be a struct, not null", at);
    checks_.emplace_back([cells = elements_of(at, -1), null](const Batch& batch) {
      cells(batch, [&](const Cells& elements) { find_null(elements, batch.found(null)); });
    });
    if (!rules.column || rules.column->elements.empty()) return;
    const core::ModelRules* model = core::find_model_rules(rules.column->elements);
    const arrow::DataType& type = *schema_.field(at)->type()->field(0)->type();
    for (const ElementField& field : element_fields_of(rules.column->elements)) {
      const core::FieldRule* of_model = model == nullptr ? nullptr : model->find(field.name);
      add_element_field(path, field, of_model, type, at);
    }
  }

  void add_element_field(const std::string& path, const ElementField& field, const core::FieldRule* model,
                         const arrow::DataType& type, int at) {
    const std::string name = path + "." + field.name;
    const int index = static_cast<const arrow::StructType&>(type).GetFieldIndex(field.name);
    const CellsOf cells = elements_of(at, index);
    if (field.required) {
      const std::size_t rule = add_rule("column.elements", name, "must be given in each element", at);
      checks_.emplace_back([=](const Batch& batch) {
        cells(batch,
              [&](const Cells& values) { (index < 0 ? find_any : find_null)(values, batch.found(rule)); });
      });
    }
    if (index < 0) return;
    if (!takes(field, *type.field(index)->type())) {
      const std::size_t rule = add_rule("column.elements", name, "must be " + field.type_word(), at);
      checks_.emplace_back([=](const Batch& batch) {
        cells(batch, [&](const Cells& values) { find_any(values, batch.found(rule)); });
      });
      return;
    }
    core::ColumnRule implied;
    implied.finite = true;
    implied.not_empty = field.required;
    const PathRules rules{name, model, &implied, "column."};
    if (is_text(*type.field(index)->type())) add_text(rules, at, cells);
    if (type.field(index)->type()->id() == arrow::Type::DOUBLE) add_number(rules, at, cells);
  }

  // ---- what spans columns ----

  void add_needs() {
    const int by = schema_.GetFieldIndex(model_->needs_by);
    if (by < 0) return;
    std::vector<std::string> slots;
    for (const core::Needs& needs : model_->needs) {
      for (const std::string& field : needs.fields)
        if (std::ranges::find(slots, field) == slots.end()) slots.push_back(field);
    }
    std::ranges::sort(slots);          // the first that is missing is told, as validate() does
    std::vector<std::uint8_t> needed;  // by word of the column: the catalog lists needs in their order
    std::vector<std::size_t> first_rule;
    for (const core::Needs& needs : model_->needs) {
      unsigned bits = 0;
      for (const std::string& field : needs.fields)
        bits |= 1U << (std::ranges::find(slots, field) - slots.begin());
      needed.push_back(static_cast<std::uint8_t>(bits));
      first_rule.push_back(rules_.size());
      for (const std::string& slot : slots)
        add_rule("model.needs", slot,
                 "must be given: " + model_->needs_by + " " + needs.value + " requires fields " +
                     core::join(needs.fields),
                 by);
    }
    std::vector<int> columns;
    for (const std::string& slot : slots) columns.push_back(schema_.GetFieldIndex(slot));
    checks_.emplace_back([=](const Batch& batch) {
      std::vector<const arrow::Array*> given;
      for (const int column : columns)
        given.push_back(column < 0 ? nullptr : batch.rows.column(column).get());
      find_missing(batch.findings.kinds, needed, given,
                   [&](std::int64_t row, std::size_t kind, std::uint8_t missing) {
                     std::size_t slot = 0;
                     while ((missing >> slot & 1U) == 0) ++slot;
                     batch.findings.rules[first_rule[kind] + slot].add(batch.first_row + row, batch.keep_all);
                   });
    });
  }

  const arrow::Schema& schema_;
  const core::ModelRules* model_;
  std::vector<BrokenRule> rules_;  // without rows
  std::vector<std::pair<int, std::string>> values_;
  std::vector<Check> checks_;
};

// Text of the value at a row of the whole table.
std::string value_at(const arrow::Table& table, std::int64_t row, const std::pair<int, std::string>& where) {
  const auto& column = *table.column(where.first);
  for (const auto& chunk : column.chunks()) {
    if (row >= chunk->length()) {
      row -= chunk->length();
    } else if (where.second.empty()) {
      return text_of(cell_to_json(*chunk, row));
    } else {
      const auto& structs = static_cast<const arrow::StructArray&>(*chunk);
      return text_of(cell_to_json(*structs.GetFieldByName(where.second), row));
    }
  }
  return {};
}

void join(BrokenRule& all, BrokenRule&& some, bool keep_all) {
  all.count += some.count;
  const std::size_t room = keep_all ? some.rows.size() : kShownRows - std::min(kShownRows, all.rows.size());
  some.rows.resize(std::min(some.rows.size(), room));
  all.rows.insert(all.rows.end(), some.rows.begin(), some.rows.end());
}

}  // namespace

CheckedRows check_rows(const std::shared_ptr<arrow::Table>& table, const core::TableDescriptor& descriptor,
                       bool keep_all, std::size_t threads) {
  const Checks checks(*table->schema(), descriptor);
  arrow::TableBatchReader reader(*table);
  reader.set_chunksize(kBatchRows);
  const auto batches = check(reader.ToRecordBatches(), ErrorCode::wrong_type);
  std::vector<std::int64_t> first_rows;
  std::int64_t rows = 0;
  for (const auto& batch : batches) {
    first_rows.push_back(rows);
    rows += batch->num_rows();
  }
  std::vector<BatchFindings> found(batches.size());
  in_parallel(threads, batches.size(),
              [&](std::size_t i) { found[i] = checks.run(*batches[i], first_rows[i], keep_all); });

  CheckedRows result;
  for (std::size_t r = 0; r < checks.rules().size(); ++r) {
    BrokenRule rule = checks.rules()[r];
    for (BatchFindings& some : found) join(rule, std::move(some.rules[r]), keep_all);
    if (rule.count == 0) continue;
    for (std::size_t i = 0; i < std::min(kShownRows, rule.rows.size()); ++i)
      rule.values.push_back(value_at(*table, rule.rows[i], checks.value_of(r)));
    result.broken.push_back(std::move(rule));
  }
  if (!result.broken.empty()) return result;
  result.table = table;
  for (int c = 0; c < table->num_columns(); ++c) {
    const bool folds = std::ranges::any_of(
        found, [&](const BatchFindings& some) { return some.folds[static_cast<std::size_t>(c)]; });
    if (folds) result.table = with_lower_case(result.table, c);
  }
  return result;
}

}  // namespace crv::io
