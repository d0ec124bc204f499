// crv scan
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/core/error.h"
#include "crv/io/files.h"
#include "output/table_writer.h"
#include "output/words.h"
#include "shell/interrupt.h"
#include "shell/progress.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

struct ScanArguments {
  std::string run, table, ticks, columns, format;
  std::string output = "-";
  std::optional<std::int64_t> limit;
  bool explain = false;
};

// "A..B", "A..", "..B" or "A"; what the bounds may be, the library says.
io::TickRange parse_ticks(const std::string& text) {
  if (text.empty()) return {};
  const auto dots = text.find("..");
  const std::string min = text.substr(0, dots);
  const std::string max = dots == std::string::npos ? min : text.substr(dots + 2);
  JsonObject where;
  where["tick_min"] = min.empty() ? Json(nullptr) : Json(min);
  where["tick_max"] = max.empty() ? Json(nullptr) : Json(max);
  const auto ticks = io::parse_where(where);
  // For the library an empty range is one that holds no tick; typed by hand it is a slip.
  if (ticks.min && ticks.max && *ticks.min > *ticks.max) {
    ErrorFacts facts;
    facts.key = "--ticks";
    facts.value = text;
    raise(ErrorCode::bad_where, "--ticks " + text + " holds no tick: " + min + " is above " + max, facts);
  }
  return ticks;
}

std::optional<std::vector<std::string>> parse_columns(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return CLI::detail::split(text, ',');
}

std::vector<std::string> format_names() {
  std::vector<std::string> names{kTableFormat};
  names.insert(names.end(), io::format_names().begin(), io::format_names().end());
  return names;
}

// Nothing: a table for people.
std::optional<io::Format> format_for(const Shell& shell, const ScanArguments& arguments) {
  if (arguments.format == kTableFormat) return std::nullopt;
  if (!arguments.format.empty()) return io::format_from_name(arguments.format);
  const auto by_name = io::format_of_path(arguments.output);
  return by_name || !shell.globals.json ? by_name : io::Format::jsonl;
}

std::unique_ptr<io::BatchWriter> open_output(const Shell& shell, const ScanArguments& arguments,
                                             const std::shared_ptr<arrow::Schema>& schema) {
  const auto format = format_for(shell, arguments);
  return format ? io::open_batches(arguments.output, *format, schema) : open_table(arguments.output, *schema);
}

void explain(Shell& shell, const io::Scan& scan) {
  if (!shell.globals.json) {
    shell.print(scan.explain());
    return;
  }
  JsonArray parts;
  for (const auto& plan : scan.plan()) parts.push_back(to_json(plan));
  shell.print_json(JsonObject{{"parts", std::move(parts)}});
}

void scan(Shell& shell, const ScanArguments& arguments) {
  io::ScanOptions options;
  options.ticks = parse_ticks(arguments.ticks);
  options.columns = parse_columns(arguments.columns);
  options.limit = arguments.limit;
  auto dataset = shell.open(arguments.run);
  const auto planned = dataset.scan(arguments.table, options);
  if (arguments.explain) {
    explain(shell, planned);
    return;
  }
  const bool to_file = arguments.output != "-";
  const auto writer = open_output(shell, arguments, planned.schema());
  ProgressLine line(shell, "scan:");
  const auto rows = io::write_scan(planned, *writer, [&](std::int64_t done, std::int64_t total) {
    stop_if_interrupted();
    if (to_file) line.show(done, total);
  });
  if (to_file) shell.say("wrote " + count_of(rows, "row", "rows") + " to " + arguments.output);
}

}  // namespace

void add_scan(CLI::App& app, Shell& shell) {
  const auto arguments = std::make_shared<ScanArguments>();
  auto* command =
      add_command(app, "scan", "Read the rows of a table, in order of bucket and commit",
                  "  crv scan run1 holdings --ticks 10..19 --columns tick,agent_id,quantity --limit 20\n"
                  "  crv scan run1 exchange --ticks 100.. -o late.parquet",
                  [&shell, arguments] { scan(shell, *arguments); });
  command->add_option("RUN", arguments->run, "Id of the run")->required();
  command->add_option("TABLE", arguments->table, "Name of the table")->required();
  command
      ->add_option("--ticks", arguments->ticks, "Only these ticks, both bounds included; also A.., ..B or A")
      ->type_name("A..B");
  command->add_option("--columns", arguments->columns, "Only these columns, in this order")
      ->type_name("NAME,...");
  take_integer(command->add_option("--limit", arguments->limit, "Only the first N rows")->type_name("N"));
  choose_from(command->add_option(
                  "--format", arguments->format,
                  "How to write them; else by the extension of FILE, else table (with --json: jsonl)"),
              format_names());
  command
      ->add_option("-o,--output", arguments->output,
                   "Write to FILE, which appears when it is whole; - is standard output")
      ->type_name("FILE");
  command->add_flag("--explain", arguments->explain, "Show which parts would be read and which not, and why");
}

}  // namespace crv::cli
