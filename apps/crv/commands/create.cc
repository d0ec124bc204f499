// crv create
#include <memory>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "crv/io/files.h"
#include "output/words.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

struct CreateArguments {
  std::string run, table, like, doc;
  std::vector<std::string> columns;
};

core::TableDescriptor definition_of(const CreateArguments& arguments) {
  core::TableDescriptor wanted{.name = arguments.table, .columns = {}, .version = {}};
  if (!arguments.like.empty()) wanted = io::table_like(arguments.table, arguments.like);
  for (const std::string& text : arguments.columns) wanted.columns.push_back(core::parse_column(text));
  wanted.doc = arguments.doc;
  return wanted;
}

void create(Shell& shell, const CreateArguments& arguments) {
  auto dataset = shell.open(arguments.run);
  const auto table = dataset.create_table(definition_of(arguments));
  dataset.close();
  if (shell.globals.json)
    shell.answer_json(core::to_json(*table));
  else
    shell.say("table " + table->name + " of run " + arguments.run + " has " +
              count_of(static_cast<std::int64_t>(table->columns.size()), "column", "columns") + ", version " +
              table->version.text());
}

}  // namespace

void add_create(CLI::App& app, Shell& shell) {
  const auto arguments = std::make_shared<CreateArguments>();
  auto* command =
      add_command(app, "create", "Define a table of your own in a run",
                  "  crv create run1 sheep --column tick:i64 --column id:str! --column energy:f64\n"
                  "  crv create run1 sheep --like sheep.parquet",
                  [&shell, arguments] { create(shell, *arguments); });
  command->add_option("RUN", arguments->run, "Id of the run; a new one is made")->required();
  command->add_option("TABLE", arguments->table, "Name of the table: lower_snake, none of crv schema")
      ->required();
  command
      ->add_option(
          "--column", arguments->columns,
          "A column and its type: i64, f64, str, bool, timestamp, binary, list[...], struct{name: ...}; with "
          "! behind it for one that must be given and hold no null. A column tick:i64 is needed. May be "
          "given many times")
      ->type_name("NAME:TYPE")
      ->take_all();
  command->add_option("--like", arguments->like, "Take the columns of this file of rows")->type_name("FILE");
  command->add_option("--doc", arguments->doc, "What a row of the table is")->type_name("TEXT");
}

}  // namespace crv::cli
