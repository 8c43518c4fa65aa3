// The files of a spec, read: which ones there are, and the document in each.
//
// Knows of a document's content only what it says of itself, `version` and `$schema`. Private to
// this layer.

#pragma once

#include <string>
#include <vector>

#include "plumbline/base/diagnostics.hpp"
#include "plumbline/base/file_reader.hpp"
#include "plumbline/base/table.hpp"
#include "plumbline/wire/document.hpp"

namespace plumbline::spec {

struct Documents {
  std::vector<wire::Node> trees;   ///< objects, in the order of the files
  std::vector<std::string> names;  ///< of all files, as in the origins
  bool complete = true;            ///< no file had to be left out for its faults
};

[[nodiscard]] Documents read_documents(const std::vector<std::string>& sources, FileReader& files,
                                       Diagnostics& diagnostics);

/// The names of routing tables on this host, where there are any beyond the kernel's.
[[nodiscard]] TableNames read_table_names(FileReader& files);

}  // namespace plumbline::spec
