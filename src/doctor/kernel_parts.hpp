// Which parts the running kernel has, without asking for anything that would load one.

#pragma once

#include <cstdint>
#include <set>
#include <string_view>

namespace plumbline::doctor {

enum class Presence : std::uint8_t { there, not_loaded, missing, unknown };

/// A part of the kernel, and a function that only it has.
struct Part {
  std::string_view module;
  std::string_view symbol;
};
inline constexpr Part nfnetlink{"nfnetlink", "nfnetlink_subsys_register"};
inline constexpr Part nf_tables{"nf_tables", "nft_register_expr"};
inline constexpr Part ip_set{"ip_set", "ip_set_type_register"};
inline constexpr Part xt_bpf{"xt_bpf", "bpf_mt_check"};
inline constexpr Part xt_checksum{"xt_CHECKSUM", "checksum_tg"};
inline constexpr Part ebt_pkttype{"ebt_pkttype", "ebt_pkttype_mt"};

/// Looks at names of functions, as a part that is built in need not have a directory in
/// /sys/module.
class Kernel {
 public:
  Kernel();

  [[nodiscard]] Presence has(const Part& part) const;

 private:
  bool readable_ = false;
  std::set<std::string_view> there_;
};

}  // namespace plumbline::doctor
