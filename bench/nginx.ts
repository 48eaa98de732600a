/** An nginx configuration in the foreground that writes only below `directory`; `http`: what it serves. */
export function nginxConfiguration(
  directory: string,
  http: string,
  { workers, accessLog }: { readonly workers: number; readonly accessLog: boolean },
): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `worker_processes ${workers};
daemon off;
pid ${directory}/nginx.pid;
error_log stderr error;
worker_rlimit_nofile 20000;
events { worker_connections 32000; }
http {
  ${accessLog ? '' : 'access_log off;'}
${temporary.map((name) => `  ${name}_temp_path ${directory}/${name};`).join('\n')}
  keepalive_requests 1000000000;
${http}
}
`;
}
