#include "secret_file.hpp"

#include <system_error>
#include <utility>

#include "plumbline/base/key_shape.hpp"

namespace plumbline::spec {

std::string resolved_path(const std::string& path, const Origin& origin) {
  if (path.starts_with('/') || !origin.known()) return path;
  const auto end = origin.file->rfind('/');
  // A bare `-` would be standard input.
  return end == std::string::npos ? "./" + path : origin.file->substr(0, end + 1) + path;
}

namespace {

/// A key, whole or damaged, or a whole configuration, where the name of the file with it should be.
bool is_perhaps_secret(const std::string& name) {
  return may_be_key(name) || name.find('\n') != std::string::npos;
}

}  // namespace

std::optional<std::string> read_secret_file(const wire::Entry& entry, FileReader& files,
                                            Code code) {
  constexpr std::size_t most = std::size_t{1} << 20U;
  const auto name = entry.string();
  if (!name) return std::nullopt;
  const std::string path = resolved_path(*name, entry.origin());
  const std::string shown = is_perhaps_secret(*name) ? std::string(hidden_key) : path;
  const auto refuse = [&](Code fault, const std::string& why) {
    entry.error(fault, shown + ": " + why);
    return std::nullopt;
  };
  const auto type = files.type(path);
  if (type == FileReader::Type::directory || type == FileReader::Type::other) {
    return refuse(Code::unreadable_file, "not a regular file");
  }
  auto content = files.read(path, most);
  if (content.error != 0) {
    return refuse(Code::unreadable_file, std::generic_category().message(content.error));
  }
  if (content.too_large) return refuse(Code::too_large, "a file of keys takes at most 1 MiB");
  if (content.others_may_write) return refuse(code, "everybody may write to it");
  if (content.others_may_read) {
    entry.warning(Code::exposed_key, path + ": everybody may read it, and there are secrets in it");
  }
  return std::move(content.text);
}

}  // namespace plumbline::spec
