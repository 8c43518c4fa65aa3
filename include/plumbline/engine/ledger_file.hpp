// The ledger's file: read before a plan is made, written before and after it is carried out.
//
// Before anything is changed what is found is in it, and there is room for what will be known
// afterwards: a full disk stops a change that could not be undone, and none that is half done. A
// file that is no ledger of ours is never taken for one, and kept. It decides nothing about what
// is to be remembered.

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "plumbline/engine/ledger.hpp"
#include "plumbline/io/private_files.hpp"

namespace plumbline::engine {

/// Stable words as those of Code, which are of an input; docs/errors.md explains them.
inline constexpr std::string_view cannot_remember_code = "CANNOT_REMEMBER";
inline constexpr std::string_view unsafe_state_code = "UNSAFE_STATE";

/// What has to be remembered cannot be: nothing was changed.
struct CannotRemember : io::HostError {
  using io::HostError::HostError;
};

/// The directory of the calling thread's network namespace, below `root`: named by the cookie of
/// SO_NETNS_COOKIE, as inode numbers and names are reused. It need not be there. Throws
/// io::HostError.
[[nodiscard]] std::filesystem::path state_directory(
    const std::filesystem::path& root = "/run/plumbline");

/// An absent or unusable ledger is an empty one; `warning` then says why it could not be used.
/// Throws io::HostError when that cannot be found out now.
[[nodiscard]] Ledger read_ledger(const std::filesystem::path& directory, std::string& warning);

class LedgerFile {
 public:
  /// `there`: what read_ledger() gave, with the names of now. `unusable`: it had a warning.
  LedgerFile(std::filesystem::path directory, Ledger there, bool unusable)
      : directory_(std::move(directory)), there_(std::move(there)), unusable_(unusable) {}

  /// Before anything is changed: writes `first`, and takes room for `last`, which is what is
  /// expected afterwards, and for some bytes more. Throws CannotRemember where one of them has more
  /// to remember than there is already.
  void prepare(const Ledger& first, const Ledger& last, std::size_t more);
  /// Afterwards. What is not remembered as it is in `last`, and why; or nothing.
  [[nodiscard]] std::string write(const Ledger& last);

  /// Where that is now which was in the place of the ledger and was none; once.
  [[nodiscard]] std::string take_kept() { return std::exchange(kept_as_, {}); }

 private:
  void write_now(const Ledger& ledger);
  void take_room(const Ledger& first, const Ledger& last, std::size_t more);
  void write_and_take_room(const Ledger& first, const Ledger& last, std::size_t more);
  void put_draft_in_place(const Ledger& last);
  void keep_what_is_unusable();

  std::filesystem::path directory_;
  Ledger there_;
  bool unusable_;
  std::string kept_as_;
  std::optional<io::PrivateDirectory> place_;
  std::optional<io::Draft> draft_;  ///< of `place_`: goes before it
  Ledger drafted_;                  ///< what is in it
};

/// Writes a ledger as it is. Throws io::HostError.
void write_ledger(const std::filesystem::path& directory, const Ledger& ledger);

}  // namespace plumbline::engine
