// crv runs, crv tables
#include <memory>

#include "output/text_table.h"
#include "output/words.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

void print_runs(Shell& shell) {
  const auto& settings = shell.settings().settings;
  const auto runs = io::list_runs(settings);
  if (shell.globals.json) {
    JsonArray names(runs.begin(), runs.end());
    shell.print_json(JsonObject{{"root_dir", settings.root_dir}, {"runs", std::move(names)}});
    return;
  }
  std::string text;
  for (const auto& run : runs) text += run + "\n";
  shell.print(text);
  if (runs.empty()) shell.say("no runs in " + settings.root_dir + "/runs");
}

void print_tables(Shell& shell, const std::string& run) {
  auto dataset = shell.open_existing(run);
  const auto tables = dataset.tables();
  if (shell.globals.json) {
    JsonArray rows;
    for (const auto& table : tables) rows.push_back(to_json(table));
    shell.print_json(JsonObject{{"run_id", run}, {"tables", std::move(rows)}});
    return;
  }
  TextTable text({{"table"}, {"rows", true}, {"size", true}, {"parts", true}, {"buckets", true}, {"ticks"}});
  for (const auto& table : tables) {
    text.add({table.table, with_commas(table.rows), bytes_text(table.bytes), with_commas(table.parts),
              with_commas(static_cast<std::int64_t>(table.buckets.size())),
              ticks_text(table.tick_min, table.tick_max)});
  }
  shell.print(text.take());
}

}  // namespace

void add_runs(CLI::App& app, Shell& shell) {
  add_command(app, "runs", "List the runs", "  crv runs --root out", [&shell] { print_runs(shell); });

  const auto run = std::make_shared<std::string>();
  auto* tables = add_command(app, "tables", "List the tables of a run: rows, size, parts and ticks",
                             "  crv tables run1", [&shell, run] { print_tables(shell, *run); });
  tables->add_option("RUN", *run, "Id of the run")->required();
}

}  // namespace crv::cli
