// The installed iptables programs, in one network namespace.
//
// Runs `iptables-save` and `iptables-restore` of one backend by absolute path. It knows so much of
// saved text as to tell a whole dump from a broken one: what cannot be observed is an error, never
// "no rules".

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "plumbline/base/family.hpp"
#include "plumbline/io/backend.hpp"
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

  /// The saved text of all tables. The Reply's message is a warning when the other backend holds
  /// rules too, as the kernel then applies both. Throws HostError when the rules cannot be seen.
  [[nodiscard]] wire::Reply dump(Family family);

  /// EINVAL with what the program said when it refuses the text; the table is then unchanged.
  [[nodiscard]] wire::Reply restore(Family family, const std::string& text);

  /// On nft, deletes the table when nobody has a chain, a rule or a policy but ACCEPT in it. On
  /// legacy a table stays as long as its kernel module: nothing is done.
  [[nodiscard]] wire::Reply drop_table(Family family, const std::string& table);

  /// Takes away all chains, rules and tables of both families. Only for a scratch namespace.
  void wipe();

 private:
  [[nodiscard]] std::string program(Family family, Backend backend, std::string_view action) const;
  [[nodiscard]] Backend installed_default() const;
  [[nodiscard]] std::string save(Family family, Backend backend);
  [[nodiscard]] std::string rival_rules(Family family);
  void wipe_legacy(Family family);

  Backend wanted_;
  const NetworkNamespace* where_;
  std::optional<Backend> backend_;
  std::optional<std::string> rival_[2];  ///< the warning, by family, once looked for
};

}  // namespace plumbline::io
