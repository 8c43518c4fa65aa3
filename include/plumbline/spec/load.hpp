// Spec files in, one checked Spec out: reading, merging, decoding, checking. All faults at once.
//
// Offline and unprivileged: it asks the kernel nothing and reads only through the FileReader that
// the caller gives. What only the host can tell is found later, by engine::compile and make_plan.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "plumbline/base/diagnostics.hpp"
#include "plumbline/base/file_reader.hpp"
#include "plumbline/spec/network.hpp"
#include "plumbline/state/state.hpp"

namespace plumbline::spec {

/// What the files say.
struct Spec {
  State state;
  std::vector<Network> networks;  ///< by bridge name
  /// Where each object is in the files.
  std::map<Key, Origin> origins;
  /// Where each rule of a chain is: by chain, `insert` rules before `append` rules.
  std::map<Key, std::vector<Origin>> rule_origins;
};

/// Reads every source: a file, a directory or `-`. Errors and warnings go to `diagnostics`; with
/// any error the returned Spec is incomplete and must not be used.
[[nodiscard]] Spec load(const std::vector<std::string>& sources, FileReader& files,
                        Diagnostics& diagnostics);

/// The files that `sources` stand for now, in the order in which load() reads them: a directory's
/// spec files by name, hidden files, editor backups and other suffixes left out.
[[nodiscard]] std::vector<std::string> files_of(const std::vector<std::string>& sources,
                                                FileReader& files);

}  // namespace plumbline::spec
