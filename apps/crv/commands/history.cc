// crv bundle, crv log
#include <memory>
#include <utility>

#include "commands/git.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "output/text_table.h"
#include "output/words.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

struct BundleArguments {
  std::string run, meta;
};

JsonObject parse_meta(const std::string& text) {
  ErrorFacts facts;
  facts.key = "--meta";
  facts.value = shortened(text);
  Json meta = JsonObject();
  try {
    meta = text.empty() ? std::move(meta) : parse_json(text);
  } catch (const SchemaError& error) {
    raise(error.code(), "--meta is " + facts.value + ": " + error.what(), facts);
  }
  auto* object = meta.get_if<JsonObject>();
  if (!object) {
    raise(ErrorCode::bad_argument, "--meta must be a JSON object such as '{\"seed\": 7}', not " + facts.value,
          facts);
  }
  return std::move(*object);
}

void bundle(Shell& shell, const BundleArguments& arguments) {
  const JsonObject meta = parse_meta(arguments.meta);
  auto dataset = shell.open_existing(arguments.run);
  const Json written = dataset.write_bundle(meta, {}, git_of_working_directory());
  if (shell.globals.json)
    shell.print_json(written);
  else
    shell.say("wrote bundle.manifest.json of run " + arguments.run);
}

std::string change_text(const io::CommitInfo::Change& change) {
  std::string text = change.table;
  if (change.parts_added > 0) {
    text += " +" + count_of(change.rows_added, "row", "rows") + " in " +
            count_of(change.parts_added, "part", "parts") + " (" + bytes_text(change.bytes_added) + ")";
  }
  if (change.parts_removed > 0) text += " -" + count_of(change.parts_removed, "part", "parts");
  return text;
}

void print_log(Shell& shell, const std::string& run, std::int64_t after) {
  auto dataset = shell.open_existing(run);
  const auto commits = dataset.log(after);
  if (shell.globals.json) {
    JsonArray list;
    for (const auto& commit : commits) list.push_back(to_json(commit));
    shell.print_json(JsonObject{{"run_id", run}, {"commits", std::move(list)}});
    return;
  }
  TextTable text({{"commit", true}, {"time"}, {"kind"}, {"writer"}, {"changes"}});
  for (const auto& commit : commits) {
    std::string changes;
    for (const auto& change : commit.tables) changes += (changes.empty() ? "" : "; ") + change_text(change);
    text.add({std::to_string(commit.seq), commit.time, commit.kind, printable(commit.writer), changes});
  }
  shell.print(text.take());
}

}  // namespace

void add_history(CLI::App& app, Shell& shell) {
  const auto arguments = std::make_shared<BundleArguments>();
  auto* bundle_command = add_command(
      app, "bundle", "Write bundle.manifest.json: the run, its tables and their sizes",
      "  crv bundle run1 --meta '{\"seed\": 7}'", [&shell, arguments] { bundle(shell, *arguments); });
  bundle_command->add_option("RUN", arguments->run, "Id of the run")->required();
  bundle_command->add_option("--meta", arguments->meta, "JSON object to keep in the bundle")
      ->type_name("JSON");

  struct LogArguments {
    std::string run;
    std::int64_t after = 0;
  };
  const auto asked = std::make_shared<LogArguments>();
  auto* log_command = add_command(app, "log", "List the commits of a run", "  crv log run1 --after 100",
                                  [&shell, asked] { print_log(shell, asked->run, asked->after); });
  log_command->add_option("RUN", asked->run, "Id of the run")->required();
  take_integer(
      log_command->add_option("--after", asked->after, "Only commits with a number above N")->type_name("N"));
}

}  // namespace crv::cli
