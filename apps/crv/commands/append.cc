// crv append
#include <memory>

#include "commands/row_options.h"
#include "crv/core/error.h"
#include "crv/io/files.h"
#include "output/words.h"
#include "shell/interrupt.h"
#include "shell/progress.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

struct AppendArguments {
  std::string run, table, format;
  std::vector<std::string> files;
  std::int64_t commit_rows = 0;
  RowOptions rows;
};

std::string summary_text(const io::AppendFilesSummary& summary) {
  const auto& appended = summary.appended;
  std::int64_t bytes = 0;
  for (const auto& part : appended.parts) bytes += part.bytes;
  return "appended " + count_of(appended.rows, "row", "rows") + " to " + appended.table + " of run " +
         appended.run_id + ": " +
         count_of(static_cast<std::int64_t>(appended.parts.size()), "part", "parts") + ", " +
         bytes_text(bytes) + ", " + count_of(summary.commits, "commit", "commits") +
         quarantined_text(appended.quarantined) + defined_text(appended.defined) +
         repeated_text(summary.repeated, summary.commits);
}

void append(Shell& shell, const AppendArguments& arguments) {
  auto dataset = shell.open(arguments.run);
  ProgressLine line(shell, "append: reading", ProgressLine::Unit::bytes);
  io::AppendFilesOptions options;
  if (!arguments.format.empty()) options.format = io::format_from_name(arguments.format);
  apply(arguments.rows, options.append);
  options.rows_per_commit = arguments.commit_rows;
  options.progress = line.callback();
  options.stop = interrupted;
  std::int64_t rows = 0, commits = 0;
  options.on_commit = [&](const io::AppendSummary& summary) {
    rows += summary.rows;
    ++commits;
    shell.standing.lines = {"the first " + count_of(rows, "row", "rows") + " stay committed"};
    shell.standing.json = {{"table", arguments.table}, {"rows", rows}, {"commits", commits}};
  };
  const auto summary = io::append_files(dataset, arguments.table, arguments.files, options);
  dataset.close();
  if (shell.globals.json)
    shell.answer_json(to_json(summary));
  else
    shell.say(summary_text(summary));
}

}  // namespace

void add_append(CLI::App& app, Shell& shell) {
  const auto arguments = std::make_shared<AppendArguments>();
  auto* command = add_command(app, "append", "Add the rows of files to a table of a run, all of them or none",
                              "  crv append run1 holdings monday.parquet tuesday.csv\n"
                              "  my-engine | crv append run1 exchange - --format jsonl",
                              [&shell, arguments] { append(shell, *arguments); });
  command->add_option("RUN", arguments->run, "Id of the run; a new one is made")->required();
  command->add_option("TABLE", arguments->table, "Name of the table (see crv schema)")->required();
  command->add_option("FILE", arguments->files, "Parquet, CSV, JSON lines or Arrow IPC; - is standard input")
      ->required();
  choose_from(command->add_option("--format", arguments->format,
                                  "Format of every FILE; else by its extension, else by its first bytes"),
              io::format_names());
  take_integer(
      command
          ->add_option(
              "--commit-rows", arguments->commit_rows,
              "Commit after every N rows, for files that do not fit into memory; what is committed stays")
          ->type_name("N"));
  add_row_options(*command, arguments->rows);
}

}  // namespace crv::cli
