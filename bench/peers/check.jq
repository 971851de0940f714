# The two questions in jq, one snapshot after another: account, Region and both counts.
def opens: (.ipProtocol == "tcp" or .ipProtocol == "-1") and (.ipRanges | length) > 0
  and (((.fromPort // 0) <= 22 and (.toPort // 65535) >= 22) or ((.fromPort // 0) <= 3389 and (.toPort // 65535) >= 3389));
.configurationItems
| [.[] | select(.resourceType == "AWS::WAFv2::WebACL" and (.resourceName | startswith("FMManagedWebACLV2-\($policy)-"))) | .resourceId] as $own
| [.[0].awsAccountId,
   first(.[] | .awsRegion | select(. != "global")),
   ([.[] | select(.resourceType == "AWS::EC2::SecurityGroup" and .resourceId != $group and any(.configuration.ipPermissions[]; opens))] | length),
   ([.[] | select(.resourceType == "AWS::ElasticLoadBalancingV2::LoadBalancer")
       | first(.supplementaryConfiguration.LoadBalancerAttributes[] | select(.key == "waf.web_acl_id") | .value)
       | select(. as $acl | $own | index($acl) == null)] | length)]
| join(" ")
