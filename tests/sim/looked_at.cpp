#include "tests/sim/looked_at.hpp"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace plumbline::sim {

const Looked looked_bridge{{{IFLA_BR_FORWARD_DELAY, "delay"},
                            {IFLA_BR_AGEING_TIME, "ageing"},
                            {IFLA_BR_STP_STATE, "stp"},
                            {IFLA_BR_VLAN_FILTERING, "filtering"},
                            {IFLA_BR_MCAST_SNOOPING, "snooping"}},
                           {}};
static const Looked looked_port{{{IFLA_BRPORT_ISOLATED, "isolated"},
                                 {IFLA_BRPORT_LEARNING, "learning"},
                                 {IFLA_BRPORT_MODE, "hairpin"},
                                 {IFLA_BRPORT_COST, "cost"},
                                 {IFLA_BRPORT_PRIORITY, "priority"},
                                 {IFLA_BRPORT_GROUP_FWD_MASK, "mask"}},
                                {}};
const Looked looked_tun{{{IFLA_TUN_TYPE, "type"},
                         {IFLA_TUN_OWNER, "owner"},
                         {IFLA_TUN_GROUP, "group"},
                         {IFLA_TUN_PI, "pi"},
                         {IFLA_TUN_VNET_HDR, "vnet"},
                         {IFLA_TUN_PERSIST, "persist"},
                         {IFLA_TUN_MULTI_QUEUE, "multi"}},
                        {}};
const Looked looked_vxlan{{{IFLA_VXLAN_ID, "id"},
                           {IFLA_VXLAN_GROUP, "remote"},
                           {IFLA_VXLAN_GROUP6, "remote6"},
                           {IFLA_VXLAN_LOCAL, "local"},
                           {IFLA_VXLAN_LOCAL6, "local6"},
                           {IFLA_VXLAN_LINK, "lower"},
                           {IFLA_VXLAN_LEARNING, "learning"},
                           {IFLA_VXLAN_PORT, "port"}},
                          {}};
static const Looked looked_altnames{{{IFLA_ALT_IFNAME, "altname"}}, {}};
static const Looked looked_inet{{{IFLA_INET_CONF, "conf"}}, {}};
static const Looked looked_families{{}, {{AF_INET, {"inet", &looked_inet}}}};
const Looked looked_slave{{{IFLA_INFO_KIND, "kind"}, {IFLA_INFO_SLAVE_KIND, "slave"}},
                          {{IFLA_INFO_SLAVE_DATA, {"port", &looked_port}}}};
const Looked looked_link_base{
    {{IFLA_IFNAME, "name"},
     {IFLA_TXQLEN, "qlen"},
     {IFLA_MTU, "mtu"},
     {IFLA_MIN_MTU, "min"},
     {IFLA_MAX_MTU, "max"},
     {IFLA_GROUP, "group"},
     {IFLA_MASTER, "master"},
     {IFLA_LINK, "link"},
     {IFLA_IFALIAS, "alias"},
     {IFLA_ADDRESS, "mac"}},
    {{IFLA_PROP_LIST, {"altnames", &looked_altnames}}, {IFLA_AF_SPEC, {"af", &looked_families}}}};
const Looked looked_address{{{IFA_ADDRESS, "address"},
                             {IFA_LOCAL, "local"},
                             {IFA_BROADCAST, "broadcast"},
                             {IFA_LABEL, "label"},
                             {IFA_PROTO, "protocol"},
                             {IFA_RT_PRIORITY, "metric"}},
                            {}};
static const Looked looked_metrics{{{RTAX_MTU, "mtu"}, {RTAX_ADVMSS, "advmss"}}, {}};
const Looked looked_route{{{RTA_TABLE, "table"},
                           {RTA_DST, "to"},
                           {RTA_PRIORITY, "metric"},
                           {RTA_PREFSRC, "source"},
                           {RTA_OIF, "dev"},
                           {RTA_GATEWAY, "gateway"},
                           {RTA_VIA, "via"},
                           {RTA_PREF, "pref"}},
                          {{RTA_METRICS, {"metrics", &looked_metrics}}}};
const Looked looked_rule{{{FRA_PRIORITY, "priority"},
                          {FRA_TABLE, "table"},
                          {FRA_PROTOCOL, "protocol"},
                          {FRA_SRC, "from"},
                          {FRA_DST, "to"},
                          {FRA_IIFNAME, "iif"},
                          {FRA_OIFNAME, "oif"},
                          {FRA_FWMARK, "mark"},
                          {FRA_FWMASK, "mask"},
                          {FRA_GOTO, "goto"},
                          {FRA_SUPPRESS_PREFIXLEN, "suppress"},
                          {FRA_IP_PROTO, "proto"},
                          {FRA_SPORT_RANGE, "sport"},
                          {FRA_DPORT_RANGE, "dport"},
                          {FRA_UID_RANGE, "uids"}},
                         {}};
static const Looked looked_hook{{{NFTA_HOOK_HOOKNUM, "number"}, {NFTA_HOOK_PRIORITY, "priority"}},
                                {}};
const Looked looked_nft_table{{{NFTA_TABLE_NAME, "table"},
                               {NFTA_TABLE_FLAGS, "flags"},
                               {NFTA_TABLE_USE, "use"},
                               {NFTA_TABLE_HANDLE, "handle"}},
                              {}};
const Looked looked_nft_chain{{{NFTA_CHAIN_TABLE, "table"},
                               {NFTA_CHAIN_NAME, "chain"},
                               {NFTA_CHAIN_HANDLE, "handle"},
                               {NFTA_CHAIN_POLICY, "policy"},
                               {NFTA_CHAIN_USE, "use"},
                               {NFTA_CHAIN_TYPE, "type"},
                               {NFTA_CHAIN_USERDATA, "userdata"}},
                              {{NFTA_CHAIN_HOOK, {"hook", &looked_hook}}}};
const Looked looked_nft_rule{{{NFTA_RULE_TABLE, "table"},
                              {NFTA_RULE_CHAIN, "chain"},
                              {NFTA_RULE_HANDLE, "handle"},
                              {NFTA_RULE_EXPRESSIONS, "code"},
                              {NFTA_RULE_USERDATA, "userdata"}},
                             {}};

}  // namespace plumbline::sim
