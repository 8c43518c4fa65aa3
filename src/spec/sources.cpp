#include "sources.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "plumbline/spec/load.hpp"

namespace plumbline::spec {

namespace {

constexpr std::string_view standard_input = "-";

bool is_json(std::string_view name) { return name.ends_with(".json") || name.ends_with(".jsonc"); }
bool is_yaml(std::string_view name) { return name.ends_with(".yaml") || name.ends_with(".yml"); }

/// What counts in a directory. Backups (`a.json~`, `#a.json#`, `a.json.bak`) end otherwise.
bool is_spec_file(std::string_view name) {
  return !name.starts_with('.') && (is_json(name) || is_yaml(name));
}

std::string join(const std::string& directory, const std::string& name) {
  return directory.ends_with('/') ? directory + name : directory + "/" + name;
}

std::shared_ptr<const std::string> shown_name(const std::string& path) {
  return std::make_shared<const std::string>(path == standard_input ? "<stdin>" : path);
}

/// For what concerns a file and no place in it.
Origin start_of(std::shared_ptr<const std::string> file) { return {std::move(file), 1, 1}; }

/// A source's files: itself, or what is in the directory.
std::vector<std::string> files_in(const std::string& source, FileReader& files,
                                  Diagnostics& diagnostics) {
  if (source == standard_input || files.type(source) != FileReader::Type::directory) {
    return {source};
  }
  auto names = files.list(source);
  if (!names) {
    diagnostics.error(Code::unreadable_file, "this directory cannot be read",
                      start_of(shown_name(source)));
    return {};
  }
  std::erase_if(*names, [](const std::string& name) { return !is_spec_file(name); });
  if (names->empty()) {
    diagnostics.error(Code::empty_spec, "no spec file (.json, .jsonc) in this directory",
                      start_of(shown_name(source)));
  }
  std::ranges::sort(*names);
  for (auto& name : *names) name = join(source, name);
  return *std::move(names);
}

std::vector<std::string> files_in(const std::vector<std::string>& sources, FileReader& files,
                                  Diagnostics& diagnostics) {
  std::vector<std::string> all;
  std::set<std::string> seen;
  for (const auto& source : sources) {
    for (auto& path : files_in(source, files, diagnostics)) {
      if (seen.insert(path).second) all.push_back(std::move(path));
    }
  }
  return all;
}

class DocumentSource {
 public:
  DocumentSource(FileReader& files, Diagnostics& diagnostics)
      : files_(&files), diagnostics_(&diagnostics) {}

  /// The document in a file. Nothing, and an error, when the file cannot be used.
  std::optional<wire::Node> read(const std::string& path);

 private:
  std::optional<std::string> text_of(const std::string& path, const Origin& start);
  [[nodiscard]] bool has_our_version(const wire::Node& document);
  void check_schema(const wire::Node& document);

  FileReader* files_;
  Diagnostics* diagnostics_;
  /// What all files together may still take.
  std::size_t left_ = wire::max_document_size;
};

std::optional<std::string> DocumentSource::text_of(const std::string& path, const Origin& start) {
  const auto refuse = [&](Code code, std::string message) {
    diagnostics_->error(code, std::move(message), start);
    return std::nullopt;
  };
  if (path != standard_input) {
    const auto type = files_->type(path);
    if (type == FileReader::Type::other) {
      return refuse(Code::unreadable_file,
                    "neither a regular file nor a directory (- reads standard input)");
    }
    if (type == FileReader::Type::directory) {
      return refuse(Code::unreadable_file, "a directory inside a directory is not read");
    }
    if (is_yaml(path)) {
      return refuse(Code::unsupported_format, "YAML is not available yet; write JSON");
    }
    if (type == FileReader::Type::file && !is_json(path)) {
      return refuse(Code::unsupported_format, "the name of a spec file ends in .json or .jsonc");
    }
  }
  auto content = files_->read(path, left_);
  if (content.error != 0) {
    return refuse(Code::unreadable_file, std::generic_category().message(content.error));
  }
  if (content.too_large) {
    return refuse(Code::too_large, "all files of a spec together take at most " +
                                       std::to_string(wire::max_document_size >> 20U) + " MiB");
  }
  left_ -= std::min(left_, content.text.size());
  return std::move(content.text);
}

/// Decided here, as the keys of another version may mean anything: such a file is left out. One
/// without a version is an error, too, but is taken for this version to find more faults.
bool DocumentSource::has_our_version(const wire::Node& document) {
  const auto& object = *document.get<wire::Object>();
  const wire::Node* const version = wire::find(object, "version");
  if (version == nullptr) {
    diagnostics_->error(Code::unsupported_version, "'version' is missing; it must be 1",
                        document.origin);
    return true;
  }
  const auto* const number = version->get<std::int64_t>();
  if (number != nullptr && *number == 1) return true;
  diagnostics_->error(Code::unsupported_version, "the only version there is, is the number 1",
                      version->origin, "/version");
  return false;
}

/// `$schema` is for editors: where it leads to is not looked at.
void DocumentSource::check_schema(const wire::Node& document) {
  const wire::Node* const place = wire::find(*document.get<wire::Object>(), "$schema");
  if (place == nullptr || place->get<std::string>() != nullptr) return;
  diagnostics_->error(Code::wrong_type, "'$schema' is text: where an editor finds the schema",
                      place->origin, "/$schema");
}

std::optional<wire::Node> DocumentSource::read(const std::string& path) {
  const auto name = shown_name(path);
  const Origin start = start_of(name);
  const auto text = text_of(path, start);
  if (!text) return std::nullopt;
  const std::size_t before = diagnostics_->errors.size();
  auto document = wire::read_document(*text, name, *diagnostics_);
  if (!document) {
    if (diagnostics_->errors.size() == before) {
      diagnostics_->error(Code::empty_spec, "there is nothing in this file", start);
    }
    return std::nullopt;
  }
  if (document->get<wire::Object>() == nullptr) {
    diagnostics_->error(Code::wrong_type, "a spec is an object: { \"version\": 1, … }",
                        document->origin);
    return std::nullopt;
  }
  if (!has_our_version(*document)) return std::nullopt;
  check_schema(*document);
  return document;
}

}  // namespace

std::vector<std::string> files_of(const std::vector<std::string>& sources, FileReader& files) {
  Diagnostics ignored;
  return files_in(sources, files, ignored);
}

Documents read_documents(const std::vector<std::string>& sources, FileReader& files,
                         Diagnostics& diagnostics) {
  if (sources.empty()) diagnostics.error(Code::empty_spec, "no spec file is given");
  Documents documents;
  documents.names = sources;
  const auto paths = files_in(sources, files, diagnostics);
  documents.complete = diagnostics.ok();
  DocumentSource source(files, diagnostics);
  for (const auto& path : paths) {
    documents.names.push_back(*shown_name(path));
    if (auto document = source.read(path)) {
      documents.trees.push_back(*std::move(document));
    } else {
      documents.complete = false;
    }
  }
  return documents;
}

TableNames read_table_names(FileReader& files) {
  constexpr std::size_t most = std::size_t{1} << 20U;
  TableNames tables;
  const auto add = [&](const std::string& path) {
    if (files.type(path) != FileReader::Type::file) return;
    const auto content = files.read(path, most);
    if (content.error == 0) tables.add(content.text);
  };
  // The administrator's come first, as the first meaning of a name stays; /usr/share is where
  // iproute2 6.5 and later install theirs.
  for (const std::string directory : {"/etc/iproute2", "/usr/share/iproute2"}) {
    add(directory + "/rt_tables");
    const std::string parts = directory + "/rt_tables.d";
    auto names = files.list(parts).value_or(std::vector<std::string>());
    std::erase_if(names, [](const std::string& name) {
      return name.starts_with('.') || !name.ends_with(".conf");
    });
    std::ranges::sort(names);
    for (const auto& name : names) add(join(parts, name));
  }
  return tables;
}

}  // namespace plumbline::spec
