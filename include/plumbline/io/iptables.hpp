// The installed iptables programs, in one network namespace.
//
// Runs `iptables-save` and `iptables-restore` of one backend by absolute path, and for bridges
// those of ebtables-nft, whatever the backend: legacy ebtables is no part of iptables. Knows
// nothing of saved text: firewall/observe/saved.hpp reads it, and tells a whole dump from a broken
// one.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plumbline/base/family.hpp"
#include "plumbline/io/backend.hpp"
#include "plumbline/io/held_tables.hpp"
#include "plumbline/io/namespace.hpp"
#include "plumbline/wire/request.hpp"

namespace plumbline::io {

class Iptables {
 public:
  /// Acts on `where`, which must outlive it, or on the calling thread's namespace when null.
  /// Programs are looked for when first needed.
  explicit Iptables(Backend wanted, const NetworkNamespace* where = nullptr)
      : wanted_(wanted), where_(where) {}

  /// Never `automatic`. Throws HostError when no such iptables is installed.
  [[nodiscard]] Backend backend();

  /// The saved text of all tables, as it is. The Reply's message is a warning, as of rival_rules().
  /// Throws HostError when the program fails.
  [[nodiscard]] wire::Reply dump(Family family);

  /// A warning when the other backend holds rules too, as the kernel then applies both; nothing
  /// when it holds none. Starts no program, and looks into nf_tables only when its generation
  /// moved.
  [[nodiscard]] std::string rival_rules(Family family);

  /// EINVAL with what the program said when it refuses the text; the table is then unchanged.
  /// Another errno when it did not come to say anything.
  [[nodiscard]] wire::Reply restore(Family family, const std::string& text);

  /// Whose rules of the family are seen and changed: of bridges always those of nft.
  [[nodiscard]] Backend backend_of(Family family);

  /// Takes away all chains, rules and tables of all families. Only for a scratch namespace.
  void wipe();

 private:
  [[nodiscard]] std::string program(Family family, Backend backend, std::string_view action);
  /// What the program `iptables` says it is: asked again only when the file is another one.
  [[nodiscard]] Backend installed_default();
  [[nodiscard]] std::string save(Family family, Backend backend);
  [[nodiscard]] std::vector<HeldTable> nft_tables_of(Family family);
  void wipe_legacy(Family family);

  Backend wanted_;
  const NetworkNamespace* where_;
  std::optional<Backend> backend_;
  Backend default_ = Backend::automatic;
  std::string asked_program_;      ///< that said `default_`, as file_identity()
  bool has_bridge_rules_ = false;  ///< may have, since wipe()
  std::optional<NetlinkSocket> wiping_nfnetlink_;
  std::optional<NetlinkSocket> rival_nfnetlink_;  ///< where nft is the other backend
  std::uint32_t rival_generation_ = 0;            ///< of `rival_tables_`
  std::vector<HeldTable> rival_tables_;
};

}  // namespace plumbline::io
