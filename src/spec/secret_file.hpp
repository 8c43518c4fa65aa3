// Files with secrets that a spec names: keys, wg-quick texts.

#pragma once

#include <optional>
#include <string>

#include "plumbline/base/file_reader.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::spec {

/// Where the path stands for, seen from the spec file that names it.
[[nodiscard]] std::string resolved_path(const std::string& path, const Origin& origin);

/// The text of the regular file that `entry` names, relative to the spec file. What is wrong with
/// it is reported at `entry`, as `code` where it is no fault of reading: others may write to it.
/// That others may read it is a warning.
[[nodiscard]] std::optional<std::string> read_secret_file(const wire::Entry& entry,
                                                          FileReader& files, Code code);

}  // namespace plumbline::spec
