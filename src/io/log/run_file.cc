#include "io/log/run_file.h"

#include "io/log/checked_json.h"
#include "io/log/commit.h"
#include "io/storage/paths.h"

namespace crv::io {

std::string encode_run(const RunInfo& info) {
  JsonObject o;
  o.push_back("format", info.id.empty() ? 1 : kFormatNumber);
  o.push_back("run_id", info.run_id);
  if (!info.id.empty()) o.push_back("id", info.id);
  o.push_back("created_at", info.created_at);
  o.push_back("tick_bucket_size", info.tick_bucket_size);
  o.push_back("commits_per_fold", info.commits_per_fold);
  o.push_back("durability", info.durability == Durability::commit ? "commit" : "none");
  std::string text = write_json(Json(std::move(o)));
  seal(text);
  return text + '\n';
}

RunInfo decode_run(std::string_view text, const std::string& path, const std::string& run_id) {
  Origin origin{ErrorCode::run_damaged, "run.json of run " + run_id, path, ""};
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (!is_sealed(text)) origin.damaged("its checksum does not fit its bytes");
  Json whole = parse_sound(text, origin);
  Checked json(whole, origin);
  check_format(json);
  RunInfo info;
  info.run_id = json.text("run_id");
  if (info.run_id != run_id)
    origin.damaged(
        "it belongs to the run \"" + info.run_id + "\" (does this disk tell upper from lower case?)",
        "run_id", info.run_id);
  if (json.find("id")) {
    info.id = json.text("id");
    if (!is_hex_id(info.id)) json.damaged("id", "is no id");
  }
  info.created_at = json.text("created_at");
  info.tick_bucket_size = json.integer("tick_bucket_size", 1);
  info.commits_per_fold = json.integer("commits_per_fold", 1);
  std::string durability = json.text("durability");
  if (durability != "commit" && durability != "none")
    json.damaged("durability", "is neither commit nor none");
  info.checksum = json.text("checksum");
  info.durability = durability == "commit" ? Durability::commit : Durability::none;
  return info;
}

}  // namespace crv::io
