// crv record
#include <unistd.h>

#include <memory>

#include "commands/row_options.h"
#include "crv/core/error.h"
#include "crv/io/record.h"
#include "output/words.h"
#include "shell/interrupt.h"
#include "shell/progress.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

struct RecordArguments {
  std::string run;
  RowOptions rows;
};

std::string summary_text(const io::RecordSummary& summary, const std::string& run) {
  return "recorded " + count_of(summary.ticks, "tick", "ticks") + " (" +
         ticks_text(summary.first_tick, summary.last_tick) + "), " + count_of(summary.rows, "row", "rows") +
         " to run " + run + quarantined_text(summary.quarantined) +
         repeated_text(summary.repeated, summary.commits);
}

void note_what_stands(Shell& shell, const io::JsonLinesRecorder& recorder, const std::string& run,
                      const std::string& of_the_rest = "not committed") {
  const auto& summary = recorder.summary();
  if (summary.ticks > 0) {
    shell.standing.lines.push_back(summary_text(summary, run) + "; they stay");
    shell.standing.json = *to_json(summary).get_if<JsonObject>();
  }
  if (recorder.pending_rows() > 0) {
    shell.standing.lines.push_back(of_the_rest + ": " + count_of(recorder.pending_rows(), "row", "rows") +
                                   " of tick " + std::to_string(recorder.pending_tick().value_or(0)));
  }
}

void record(Shell& shell, const RecordArguments& arguments) {
  auto dataset = shell.open(arguments.run);
  ProgressLine line(shell, "record: ticks committed:");
  io::RecordOptions options;
  apply(arguments.rows, options.append);
  options.stop = interrupted;
  options.on_commit = [&](const io::RecordSummary& summary) { line.show(summary.ticks, 0); };
  io::JsonLinesRecorder recorder(dataset, std::move(options));
  try {
    recorder.add_lines_of(STDIN_FILENO);
    dataset.close();
  } catch (const IoCommitUnknownError&) {
    note_what_stands(shell, recorder, arguments.run, "perhaps committed, perhaps not");
    throw;
  } catch (...) {
    note_what_stands(shell, recorder, arguments.run);
    throw;
  }
  if (shell.globals.json)
    shell.answer_json(to_json(recorder.summary()));
  else
    shell.say(summary_text(recorder.summary(), arguments.run));
}

}  // namespace

void add_record(CLI::App& app, Shell& shell) {
  const auto arguments = std::make_shared<RecordArguments>();
  auto* command = add_command(
      app, "record", "Record JSON lines of standard input, each with its table and tick, tick by tick",
      "  my-engine | crv record run1\n"
      "  echo "
      "'{\"table\":\"holdings\",\"tick\":0,\"agent_id\":\"a1\",\"token_id\":\"grain\",\"quantity\":3}' | crv "
      "record run1",
      [&shell, arguments] { record(shell, *arguments); });
  command->add_option("RUN", arguments->run, "Id of the run; a new one is made")->required();
  add_row_options(*command, arguments->rows);
}

}  // namespace crv::cli
