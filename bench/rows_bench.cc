// What validate_rows adds to an append, and what many shapes of a struct add to a scan.
#include "rows_bench.h"

#include <arrow/api.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "crv/core/grammar_enums.h"
#include "history.h"

namespace crv::bench {
namespace {

constexpr int kTurns = 3;
constexpr std::int64_t kRowsATick = 10'000;

// A table of `rows` rows whose columns are made one after the other, text as engines send it.
class Columns {
 public:
  explicit Columns(std::int64_t rows) : rows_(rows) {}

  void texts(const std::string& name, const std::function<const std::string*(std::int64_t)>& of) {
    arrow::LargeStringBuilder builder;
    for (std::int64_t i = 0; i < rows_; ++i) {
      const std::string* text = of(i);
      good(text != nullptr ? builder.Append(*text) : builder.AppendNull());
    }
    add(name, builder);
  }
  template <class Builder, class Of>
  void numbers(const std::string& name, const Of& of) {
    Builder builder;
    good(builder.Reserve(rows_));
    for (std::int64_t i = 0; i < rows_; ++i) builder.UnsafeAppend(of(i));
    add(name, builder);
  }
  // The columns so far, from `first` on, as the fields of one struct.
  void fold_into(const std::string& name, std::size_t first) {
    const auto from = static_cast<std::ptrdiff_t>(first);
    arrow::ArrayVector children(arrays_.begin() + from, arrays_.end());
    const arrow::FieldVector fields(fields_.begin() + from, fields_.end());
    arrays_.resize(first);
    fields_.resize(first);
    const auto made = arrow::StructArray::Make(children, fields).ValueOrDie();
    fields_.push_back(arrow::field(name, made->type()));
    arrays_.push_back(made);
  }
  std::size_t size() const { return fields_.size(); }
  std::shared_ptr<arrow::Table> table() const { return arrow::Table::Make(arrow::schema(fields_), arrays_); }

 private:
  static void good(const arrow::Status& status) {
    if (!status.ok()) throw std::runtime_error(status.ToString());
  }
  void add(const std::string& name, arrow::ArrayBuilder& builder) {
    arrays_.push_back(builder.Finish().ValueOrDie());
    fields_.push_back(arrow::field(name, arrays_.back()->type()));
  }

  std::int64_t rows_;
  arrow::FieldVector fields_;
  arrow::ArrayVector arrays_;
};

std::vector<std::string> names(const std::string& prefix, int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(prefix + std::to_string(i));
  return all;
}

template <class Enum>
std::vector<std::string> values_of() {
  std::vector<std::string> all;
  for (const auto& member : core::EnumTable<Enum>::members) all.emplace_back(member.value);
  return all;
}

std::shared_ptr<arrow::Table> identity_edges(std::int64_t rows) {
  std::mt19937_64 random(1);
  const auto agents = names("agent_", 1000), tokens = names("token_", 50);
  const auto kinds = values_of<core::RepresentationEdgeKind>();
  const auto any = [&](const std::vector<std::string>& of) { return &of[random() % of.size()]; };
  Columns made(rows);
  made.numbers<arrow::Int64Builder>("tick", [](std::int64_t i) { return i / kRowsATick; });
  for (const char* name : {"observer_agent_id", "subject_id", "object_id", "related_agent_id"})
    made.texts(name, [&](std::int64_t) { return any(agents); });
  made.texts("edge_kind", [&](std::int64_t) { return any(kinds); });
  made.texts("token_id", [&](std::int64_t) { return any(tokens); });
  made.numbers<arrow::DoubleBuilder>(
      "edge_weight", [&](std::int64_t) { return static_cast<double>(random() % 10'000) / 10'000; });
  made.numbers<arrow::Int64Builder>("edge_sign", [](std::int64_t i) { return i % 3 - 1; });
  return made.table();
}

std::shared_ptr<arrow::Table> exchange(std::int64_t rows) {
  std::mt19937_64 random(2);
  const auto agents = names("agent_", 1000), tokens = names("token_", 50), venues = names("venue_", 5);
  const auto kinds = values_of<core::ExchangeKind>();
  const std::vector<std::string> sides{"buy", "sell"};
  const auto any = [&](const std::vector<std::string>& of) { return &of[random() % of.size()]; };
  Columns made(rows);
  made.numbers<arrow::Int64Builder>("tick", [](std::int64_t i) { return i / kRowsATick; });
  made.texts("venue_id", [&](std::int64_t) { return any(venues); });
  made.texts("token_id", [&](std::int64_t) { return any(tokens); });
  made.texts("exchange_event_type", [&](std::int64_t) { return any(kinds); });
  made.texts("side", [&](std::int64_t i) { return i % 5 == 0 ? nullptr : any(sides); });
  for (const char* name : {"quantity", "price", "baseline_value"})
    made.numbers<arrow::DoubleBuilder>(
        name, [&](std::int64_t) { return static_cast<double>(random() % 100'000) / 100; });
  made.texts("actor_agent_id", [&](std::int64_t) { return any(agents); });
  made.texts("counterparty_agent_id", [&](std::int64_t i) { return i % 2 == 0 ? nullptr : any(agents); });
  const std::size_t first = made.size();
  made.numbers<arrow::Int64Builder>("order", [](std::int64_t i) { return i; });
  made.fold_into("additional_payload", first);
  return made.table();
}

double append_seconds(io::IoSettings settings, const std::string& table, const io::Frame& frame,
                      bool validate_rows) {
  const std::string run = "rows";
  double seconds = 0;
  {
    io::Dataset dataset(settings, run);
    io::AppendOptions options;
    options.validate_rows = validate_rows;
    seconds = seconds_of([&] { dataset.append(table, frame, options); });
  }
  std::filesystem::remove_all(std::filesystem::path(settings.root_dir) / "runs" / run);
  return seconds;
}

void measure_append(io::IoSettings settings, const std::string& table, const io::Frame& frame) {
  for (const auto durability : {io::Durability::none, io::Durability::commit}) {
    settings.durability = durability;
    std::vector<double> unchecked, checked;
    for (int turn = 0; turn < kTurns; ++turn) {
      unchecked.push_back(append_seconds(settings, table, frame, false));
      checked.push_back(append_seconds(settings, table, frame, true));
    }
    const std::string what =
        table + ", durability " + (durability == io::Durability::none ? "none" : "commit");
    std::printf("  %-46s %8.1f ms %8.1f ms   x %.2f\n", what.c_str(), 1000 * median(unchecked),
                1000 * median(checked), median(checked) / median(unchecked));
    std::fflush(stdout);
  }
}

// ---- shapes ----

constexpr int kShapes = 50;
constexpr std::int64_t kRowsAShape = 20'000;

enum class Shape {
  own,     // a payload with an order, and two texts whose names no other shape has
  all,     // the same rows with the fields of all shapes, as nulls where another shape has them
  common,  // the same values, under names that all share
};

// Rows of one tick, the number of their shape.
std::shared_ptr<arrow::Table> shaped_rows(int number, Shape shape) {
  static const std::string venue = "venue", token = "token", kind = "trade";
  std::mt19937_64 random(static_cast<std::uint64_t>(number));
  const auto notes = names("note ", 100);
  Columns made(kRowsAShape);
  made.numbers<arrow::Int64Builder>("tick", [=](std::int64_t) { return number; });
  made.texts("venue_id", [](std::int64_t) { return &venue; });
  made.texts("token_id", [](std::int64_t) { return &token; });
  made.texts("exchange_event_type", [](std::int64_t) { return &kind; });
  const std::size_t first = made.size();
  made.numbers<arrow::Int64Builder>("order", [](std::int64_t i) { return i; });
  for (int s = 0; s < kShapes; ++s) {
    if (s != number && shape != Shape::all) continue;
    const auto text = [&](std::int64_t) { return s == number ? &notes[random() % notes.size()] : nullptr; };
    const std::string suffix = shape == Shape::common ? "" : "_" + std::to_string(s);
    made.texts("note" + suffix, text);
    made.texts("memo" + suffix, text);
  }
  made.fold_into("additional_payload", first);
  return made.table();
}

void record_shapes(const io::IoSettings& settings, const std::string& run, Shape shape) {
  io::Dataset dataset(settings, run);
  for (int number = 0; number < kShapes; ++number) dataset.append("exchange", shaped_rows(number, shape));
  dataset.close();
}

double read_ms(const io::IoSettings& settings, const std::string& run) {
  std::shared_ptr<arrow::Table> table;
  const double seconds = seconds_of([&] {
    io::Dataset dataset(settings, run);
    table = dataset.read("exchange");
  });
  if (table->num_rows() != kShapes * kRowsAShape) throw std::runtime_error("the scan gave other rows");
  return 1000 * seconds;
}

void measure_shapes(const io::IoSettings& settings) {
  record_shapes(settings, "own", Shape::own);
  record_shapes(settings, "all", Shape::all);
  record_shapes(settings, "common", Shape::common);
  std::vector<double> own, all, common;
  for (int turn = 0; turn < 7; ++turn) {
    own.push_back(read_ms(settings, "own"));
    all.push_back(read_ms(settings, "all"));
    common.push_back(read_ms(settings, "common"));
  }
  std::printf("\nReading %d parts of %lld rows; files cached by the system, medians of 7\n", kShapes,
              static_cast<long long>(kRowsAShape));
  std::printf("  %-46s %8s     %8s      ratio\n", "struct shapes", "1", std::to_string(kShapes).c_str());
  std::printf("  %-46s %8.1f ms %8.1f ms   x %.2f\n", "the same rows, all fields in each part", median(all),
              median(own), median(own) / median(all));
  std::printf("  %-46s %8.1f ms %8.1f ms   x %.2f\n", "the same values, under common names", median(common),
              median(own), median(own) / median(common));
}

}  // namespace

void bench_rows(const io::IoSettings& settings, std::int64_t rows) {
  std::printf("\nAppending %lld rows as one frame, medians of %d\n", static_cast<long long>(rows), kTurns);
  std::printf("  %-46s %8s    %8s      ratio\n", "validate_rows", "off", "on");
  std::fflush(stdout);
  measure_append(settings, "identity_edges", identity_edges(rows));
  measure_append(settings, "exchange", exchange(rows));
  measure_shapes(settings);
}

}  // namespace crv::bench
